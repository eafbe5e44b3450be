A telecoms operator shares a malicious domain, narrows it to a sharing group, and
takes it back.

> telco POST /sharing_groups/add
{"uuid": "33333333-3333-4333-8333-333333333333", "name": "Operators", "releasability": "operators", "description": ""}
< 200
{
 "Organisation": {
  "id": 1,
  "name": "Telco",
  "uuid": "aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa"
 },
 "SharingGroup": {
  "id": 1,
  "name": "Operators",
  "releasability": "operators",
  "description": "",
  "uuid": "33333333-3333-4333-8333-333333333333",
  "organisation_uuid": "aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa",
  "org_id": 1,
  "sync_user_id": 2,
  "active": true,
  "created": "2026-11-23 12:00:00",
  "modified": "2026-11-23 12:00:00",
  "local": false,
  "roaming": true
 },
 "SharingGroupOrg": [],
 "SharingGroupServer": []
}

> telco POST /sharing_groups/addOrg/33333333-3333-4333-8333-333333333333/bbbbbbbb-bbbb-4bbb-8bbb-bbbbbbbbbbbb/0
< 200
{
 "saved": true,
 "success": true,
 "name": "Organisation added to the sharing group.",
 "message": "Organisation added to the sharing group.",
 "url": "/sharing_groups/addOrg"
}

> telco POST /sharing_groups/addOrg
{"sg_id": 1, "org_id": 1, "extend": true}
< 200
{
 "saved": true,
 "success": true,
 "name": "Organisation added to the sharing group.",
 "message": "Organisation added to the sharing group.",
 "url": "/sharing_groups/addOrg"
}

> telco POST /events/add
{"Event": {"uuid": "11111111-1111-4111-8111-111111111111", "info": "Smishing against subscribers", "distribution": "1", "Tag": [{"name": "tlp:amber"}], "Attribute": [{"uuid": "11111111-1111-4111-8111-aaaaaaaaaaaa", "type": "domain", "value": "hxxp-login[.]bad.example.org"}]}}
< 200
{
 "Event": {
  "id": 1,
  "orgc_id": 1,
  "org_id": 1,
  "date": "2026-11-23",
  "threat_level_id": 4,
  "info": "Smishing against subscribers",
  "published": false,
  "uuid": "11111111-1111-4111-8111-111111111111",
  "attribute_count": 1,
  "analysis": 0,
  "timestamp": 1795435200,
  "distribution": 1,
  "locked": false,
  "publish_timestamp": 0,
  "sharing_group_id": 0,
  "disable_correlation": false,
  "extends_uuid": "",
  "proposal_email_lock": false,
  "protected": null,
  "event_creator_email": "ann@telco.example",
  "Org": {
   "id": 1,
   "name": "Telco",
   "uuid": "aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa",
   "local": true
  },
  "Orgc": {
   "id": 1,
   "name": "Telco",
   "uuid": "aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa",
   "local": true
  },
  "Attribute": [
   {
    "id": 1,
    "event_id": 1,
    "object_id": 0,
    "object_relation": null,
    "category": "Network activity",
    "type": "domain",
    "to_ids": true,
    "uuid": "11111111-1111-4111-8111-aaaaaaaaaaaa",
    "timestamp": 1795435200,
    "distribution": 5,
    "sharing_group_id": 0,
    "comment": "",
    "value": "hxxp-login.bad.example.org",
    "deleted": false,
    "disable_correlation": false,
    "first_seen": null,
    "last_seen": null,
    "Galaxy": [],
    "ShadowAttribute": []
   }
  ],
  "Object": [],
  "ShadowAttribute": [],
  "EventReport": [],
  "RelatedEvent": [],
  "Galaxy": [],
  "CryptographicKey": [],
  "Tag": [
   {
    "id": 1,
    "name": "tlp:amber",
    "colour": "#0d683e",
    "exportable": true,
    "user_id": 0,
    "hide_tag": false,
    "numerical_value": null,
    "is_galaxy": false,
    "is_custom_galaxy": false,
    "local_only": false,
    "local": false,
    "relationship_type": null
   }
  ]
 }
}

> telco POST /events/publish/11111111-1111-4111-8111-111111111111
< 200
{
 "saved": true,
 "success": true,
 "name": "Job queued",
 "message": "Job queued",
 "url": "/events/publish/11111111-1111-4111-8111-111111111111",
 "id": 1
}

The other parties see it.

> provider POST /attributes/restSearch
{"value": "hxxp-login.bad.example.org"}
< 200
X-Result-Count: 1
{
 "response": {
  "Attribute": [
   {
    "id": 1,
    "event_id": 1,
    "object_id": 0,
    "object_relation": null,
    "category": "Network activity",
    "type": "domain",
    "to_ids": true,
    "uuid": "11111111-1111-4111-8111-aaaaaaaaaaaa",
    "timestamp": 1795435200,
    "distribution": 5,
    "sharing_group_id": 0,
    "comment": "",
    "value": "hxxp-login.bad.example.org",
    "deleted": false,
    "disable_correlation": false,
    "first_seen": null,
    "last_seen": null,
    "Event": {
     "id": 1,
     "uuid": "11111111-1111-4111-8111-111111111111",
     "info": "Smishing against subscribers",
     "distribution": 1,
     "publish_timestamp": 1795435200,
     "org_id": 1,
     "orgc_id": 1
    }
   }
  ]
 }
}

> cert POST /attributes/restSearch
{"value": "hxxp-login.bad.example.org", "returnFormat": "text"}
< 200
X-Result-Count: 1
hxxp-login.bad.example.org

+ 1m

It is narrowed to the group, of which the CERT is not a member.

> telco POST /events/edit/11111111-1111-4111-8111-111111111111
{"Event": {"distribution": 4, "sharing_group_id": 1, "published": true, "timestamp": "1795435260"}}
< 200
{
 "Event": {
  "id": 1,
  "orgc_id": 1,
  "org_id": 1,
  "date": "2026-11-23",
  "threat_level_id": 4,
  "info": "Smishing against subscribers",
  "published": true,
  "uuid": "11111111-1111-4111-8111-111111111111",
  "attribute_count": 1,
  "analysis": 0,
  "timestamp": 1795435260,
  "distribution": 4,
  "locked": false,
  "publish_timestamp": 1795435200,
  "sharing_group_id": 1,
  "disable_correlation": false,
  "extends_uuid": "",
  "proposal_email_lock": false,
  "protected": null,
  "event_creator_email": "ann@telco.example",
  "Org": {
   "id": 1,
   "name": "Telco",
   "uuid": "aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa",
   "local": true
  },
  "Orgc": {
   "id": 1,
   "name": "Telco",
   "uuid": "aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa",
   "local": true
  },
  "SharingGroup": {
   "id": 1,
   "uuid": "33333333-3333-4333-8333-333333333333",
   "name": "Operators",
   "releasability": "operators",
   "description": "",
   "org_id": 1,
   "organisation_uuid": "aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa",
   "created": "2026-11-23 12:00:00",
   "modified": "2026-11-23 12:00:00",
   "sync_user_id": 2,
   "active": true,
   "local": false,
   "roaming": true,
   "Organisation": {
    "id": 1,
    "name": "Telco",
    "uuid": "aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa"
   },
   "SharingGroupOrg": [
    {
     "id": 1,
     "sharing_group_id": 1,
     "org_id": 2,
     "extend": false,
     "Organisation": {
      "id": 2,
      "name": "Provider",
      "uuid": "bbbbbbbb-bbbb-4bbb-8bbb-bbbbbbbbbbbb"
     }
    },
    {
     "id": 2,
     "sharing_group_id": 1,
     "org_id": 1,
     "extend": true,
     "Organisation": {
      "id": 1,
      "name": "Telco",
      "uuid": "aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa"
     }
    }
   ],
   "SharingGroupServer": []
  },
  "Attribute": [
   {
    "id": 1,
    "event_id": 1,
    "object_id": 0,
    "object_relation": null,
    "category": "Network activity",
    "type": "domain",
    "to_ids": true,
    "uuid": "11111111-1111-4111-8111-aaaaaaaaaaaa",
    "timestamp": 1795435200,
    "distribution": 5,
    "sharing_group_id": 0,
    "comment": "",
    "value": "hxxp-login.bad.example.org",
    "deleted": false,
    "disable_correlation": false,
    "first_seen": null,
    "last_seen": null,
    "Galaxy": [],
    "ShadowAttribute": []
   }
  ],
  "Object": [],
  "ShadowAttribute": [],
  "EventReport": [],
  "RelatedEvent": [],
  "Galaxy": [],
  "CryptographicKey": [],
  "Tag": [
   {
    "id": 1,
    "name": "tlp:amber",
    "colour": "#0d683e",
    "exportable": true,
    "user_id": 0,
    "hide_tag": false,
    "numerical_value": null,
    "is_galaxy": false,
    "is_custom_galaxy": false,
    "local_only": false,
    "local": false,
    "relationship_type": null
   }
  ]
 }
}

> cert GET /events/view/11111111-1111-4111-8111-111111111111
< 404
{
 "name": "Invalid event",
 "message": "Invalid event",
 "url": "/events/view/11111111-1111-4111-8111-111111111111"
}

> provider POST /attributes/restSearch
{"value": "hxxp-login.bad.example.org", "returnFormat": "csv"}
< 200
X-Result-Count: 1
uuid,event_id,category,type,value,comment,to_ids,date,object_relation,attribute_tag,object_uuid,object_name,object_meta_category
"11111111-1111-4111-8111-aaaaaaaaaaaa",1,"Network activity","domain","hxxp-login.bad.example.org","",1,1795435200,"","","","",""

The domain is withdrawn. Who holds it sees that it was.

+ 1m

> telco POST /attributes/delete/11111111-1111-4111-8111-aaaaaaaaaaaa
< 200
{
 "message": "Attribute deleted."
}

> provider POST /attributes/restSearch
{"value": "hxxp-login.bad.example.org", "returnFormat": "count"}
< 200
X-Result-Count: 0
0

> provider POST /attributes/restSearch
{"value": "hxxp-login.bad.example.org", "deleted": 1}
< 200
X-Result-Count: 1
{
 "response": {
  "Attribute": [
   {
    "id": 1,
    "event_id": 1,
    "object_id": 0,
    "object_relation": null,
    "category": "Network activity",
    "type": "domain",
    "to_ids": true,
    "uuid": "11111111-1111-4111-8111-aaaaaaaaaaaa",
    "timestamp": 1795435320,
    "distribution": 5,
    "sharing_group_id": 0,
    "comment": "",
    "value": "hxxp-login.bad.example.org",
    "deleted": true,
    "disable_correlation": false,
    "first_seen": null,
    "last_seen": null,
    "Event": {
     "id": 1,
     "uuid": "11111111-1111-4111-8111-111111111111",
     "info": "Smishing against subscribers",
     "distribution": 4,
     "publish_timestamp": 1795435200,
     "org_id": 1,
     "orgc_id": 1
    }
   }
  ]
 }
}

> telco DELETE /events/delete/11111111-1111-4111-8111-111111111111
< 200
{
 "saved": true,
 "success": true,
 "name": "Event deleted.",
 "message": "Event deleted.",
 "url": "/events/delete/11111111-1111-4111-8111-111111111111",
 "id": "11111111-1111-4111-8111-111111111111"
}

> telco POST /events/add
{"Event": {"uuid": "11111111-1111-4111-8111-111111111111", "info": "again", "distribution": 0}}
< 403
{
 "name": "Event blocked by event blocklist.",
 "message": "Event blocked by event blocklist.",
 "url": "/events/add"
}
