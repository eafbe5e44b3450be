A script fetches an event, changes it and sends it back: what it did not touch
stays, an object that it deletes is withdrawn with its attributes.

> cert POST /events/add
{"Event": {"uuid": "11111111-1111-4111-8111-111111111111", "info": "Dropper", "distribution": 1, "Object": [{"uuid": "11111111-1111-4111-8111-bbbbbbbbbbbb", "name": "file", "distribution": 5, "Attribute": [{"uuid": "11111111-1111-4111-8111-cccccccccccc", "type": "filename", "object_relation": "filename", "value": "a.exe"}]}, {"uuid": "11111111-1111-4111-8111-dddddddddddd", "name": "file", "distribution": 5, "Attribute": [{"uuid": "11111111-1111-4111-8111-eeeeeeeeeeee", "type": "filename", "object_relation": "filename", "value": "b.exe"}]}]}}
< 200
{
 "Event": {
  "id": 1,
  "orgc_id": 3,
  "org_id": 3,
  "date": "2026-11-23",
  "threat_level_id": 4,
  "info": "Dropper",
  "published": false,
  "uuid": "11111111-1111-4111-8111-111111111111",
  "attribute_count": 2,
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
  "event_creator_email": "eve@cert.example",
  "Org": {
   "id": 3,
   "name": "CERT",
   "uuid": "cccccccc-cccc-4ccc-8ccc-cccccccccccc",
   "local": true
  },
  "Orgc": {
   "id": 3,
   "name": "CERT",
   "uuid": "cccccccc-cccc-4ccc-8ccc-cccccccccccc",
   "local": true
  },
  "Attribute": [],
  "Object": [
   {
    "id": 1,
    "uuid": "11111111-1111-4111-8111-bbbbbbbbbbbb",
    "event_id": 1,
    "name": "file",
    "meta-category": "",
    "description": "",
    "template_uuid": "",
    "template_version": 0,
    "timestamp": 1795435200,
    "distribution": 5,
    "sharing_group_id": 0,
    "comment": "",
    "deleted": false,
    "first_seen": null,
    "last_seen": null,
    "ObjectReference": [],
    "Attribute": [
     {
      "id": 1,
      "event_id": 1,
      "object_id": 1,
      "object_relation": "filename",
      "category": "Payload delivery",
      "type": "filename",
      "to_ids": true,
      "uuid": "11111111-1111-4111-8111-cccccccccccc",
      "timestamp": 1795435200,
      "distribution": 5,
      "sharing_group_id": 0,
      "comment": "",
      "value": "a.exe",
      "deleted": false,
      "disable_correlation": false,
      "first_seen": null,
      "last_seen": null,
      "Galaxy": [],
      "ShadowAttribute": []
     }
    ]
   },
   {
    "id": 2,
    "uuid": "11111111-1111-4111-8111-dddddddddddd",
    "event_id": 1,
    "name": "file",
    "meta-category": "",
    "description": "",
    "template_uuid": "",
    "template_version": 0,
    "timestamp": 1795435200,
    "distribution": 5,
    "sharing_group_id": 0,
    "comment": "",
    "deleted": false,
    "first_seen": null,
    "last_seen": null,
    "ObjectReference": [],
    "Attribute": [
     {
      "id": 2,
      "event_id": 1,
      "object_id": 2,
      "object_relation": "filename",
      "category": "Payload delivery",
      "type": "filename",
      "to_ids": true,
      "uuid": "11111111-1111-4111-8111-eeeeeeeeeeee",
      "timestamp": 1795435200,
      "distribution": 5,
      "sharing_group_id": 0,
      "comment": "",
      "value": "b.exe",
      "deleted": false,
      "disable_correlation": false,
      "first_seen": null,
      "last_seen": null,
      "Galaxy": [],
      "ShadowAttribute": []
     }
    ]
   }
  ],
  "ShadowAttribute": [],
  "EventReport": [],
  "RelatedEvent": [],
  "Galaxy": [],
  "CryptographicKey": []
 }
}

+ 1m

> cert POST /events/edit/1
{"Event": {"uuid": "11111111-1111-4111-8111-111111111111", "info": "Two droppers", "Object": [{"uuid": "11111111-1111-4111-8111-bbbbbbbbbbbb", "name": "file", "deleted": true, "Attribute": [{"uuid": "11111111-1111-4111-8111-cccccccccccc", "type": "filename", "object_relation": "filename", "value": "a.exe", "timestamp": "1795435200"}]}, {"uuid": "11111111-1111-4111-8111-dddddddddddd", "name": "file", "Attribute": [{"uuid": "11111111-1111-4111-8111-eeeeeeeeeeee", "value": "c.exe"}, {"type": "md5", "value": "d41d8cd98f00b204e9800998ecf8427e"}]}]}}
< 200
{
 "Event": {
  "id": 1,
  "orgc_id": 3,
  "org_id": 3,
  "date": "2026-11-23",
  "threat_level_id": 4,
  "info": "Two droppers",
  "published": false,
  "uuid": "11111111-1111-4111-8111-111111111111",
  "attribute_count": 2,
  "analysis": 0,
  "timestamp": 1795435260,
  "distribution": 1,
  "locked": false,
  "publish_timestamp": 0,
  "sharing_group_id": 0,
  "disable_correlation": false,
  "extends_uuid": "",
  "proposal_email_lock": false,
  "protected": null,
  "event_creator_email": "eve@cert.example",
  "Org": {
   "id": 3,
   "name": "CERT",
   "uuid": "cccccccc-cccc-4ccc-8ccc-cccccccccccc",
   "local": true
  },
  "Orgc": {
   "id": 3,
   "name": "CERT",
   "uuid": "cccccccc-cccc-4ccc-8ccc-cccccccccccc",
   "local": true
  },
  "Attribute": [],
  "Object": [
   {
    "id": 2,
    "uuid": "11111111-1111-4111-8111-dddddddddddd",
    "event_id": 1,
    "name": "file",
    "meta-category": "",
    "description": "",
    "template_uuid": "",
    "template_version": 0,
    "timestamp": 1795435200,
    "distribution": 5,
    "sharing_group_id": 0,
    "comment": "",
    "deleted": false,
    "first_seen": null,
    "last_seen": null,
    "ObjectReference": [],
    "Attribute": [
     {
      "id": 2,
      "event_id": 1,
      "object_id": 2,
      "object_relation": "filename",
      "category": "Payload delivery",
      "type": "filename",
      "to_ids": true,
      "uuid": "11111111-1111-4111-8111-eeeeeeeeeeee",
      "timestamp": 1795435260,
      "distribution": 5,
      "sharing_group_id": 0,
      "comment": "",
      "value": "c.exe",
      "deleted": false,
      "disable_correlation": false,
      "first_seen": null,
      "last_seen": null,
      "Galaxy": [],
      "ShadowAttribute": []
     },
     {
      "id": 3,
      "event_id": 1,
      "object_id": 2,
      "object_relation": null,
      "category": "Payload delivery",
      "type": "md5",
      "to_ids": true,
      "uuid": "UUID1",
      "timestamp": 1795435260,
      "distribution": 5,
      "sharing_group_id": 0,
      "comment": "",
      "value": "d41d8cd98f00b204e9800998ecf8427e",
      "deleted": false,
      "disable_correlation": false,
      "first_seen": null,
      "last_seen": null,
      "Galaxy": [],
      "ShadowAttribute": []
     }
    ]
   }
  ],
  "ShadowAttribute": [],
  "EventReport": [],
  "RelatedEvent": [],
  "Galaxy": [],
  "CryptographicKey": []
 }
}

> provider POST /attributes/restSearch
{"eventid": 1, "deleted": [0, 1], "returnFormat": "csv", "requested_attributes": ["uuid", "value"]}
< 200
X-Result-Count: 3
uuid,value
"11111111-1111-4111-8111-cccccccccccc","a.exe"
"11111111-1111-4111-8111-eeeeeeeeeeee","c.exe"
"UUID1","d41d8cd98f00b204e9800998ecf8427e"

> cert POST /objects/delete/11111111-1111-4111-8111-dddddddddddd/1
< 200
{
 "saved": true,
 "success": true,
 "name": "Object deleted",
 "message": "Object deleted",
 "url": "/objects/delete/1",
 "id": 1
}

> provider GET /objects/view/11111111-1111-4111-8111-dddddddddddd
< 404
{
 "name": "Invalid object.",
 "message": "Invalid object.",
 "url": "/objects/view/11111111-1111-4111-8111-dddddddddddd"
}

An edit says when it was made; its objects are as old as it is.

> provider POST /events/add
{"Event": {"uuid": "22222222-2222-4222-8222-222222222222", "info": "Loader", "distribution": 0, "published": true, "Object": [{"uuid": "22222222-2222-4222-8222-bbbbbbbbbbbb", "name": "file", "Attribute": [{"type": "filename", "object_relation": "filename", "value": "d.exe"}]}]}}
< 200
{
 "Event": {
  "id": 2,
  "orgc_id": 2,
  "org_id": 2,
  "date": "2026-11-23",
  "threat_level_id": 4,
  "info": "Loader",
  "published": true,
  "uuid": "22222222-2222-4222-8222-222222222222",
  "attribute_count": 1,
  "analysis": 0,
  "timestamp": 1795435260,
  "distribution": 0,
  "locked": false,
  "publish_timestamp": 1795435260,
  "sharing_group_id": 0,
  "disable_correlation": false,
  "extends_uuid": "",
  "proposal_email_lock": false,
  "protected": null,
  "event_creator_email": "bob@provider.example",
  "Org": {
   "id": 2,
   "name": "Provider",
   "uuid": "bbbbbbbb-bbbb-4bbb-8bbb-bbbbbbbbbbbb",
   "local": true
  },
  "Orgc": {
   "id": 2,
   "name": "Provider",
   "uuid": "bbbbbbbb-bbbb-4bbb-8bbb-bbbbbbbbbbbb",
   "local": true
  },
  "Attribute": [],
  "Object": [
   {
    "id": 3,
    "uuid": "22222222-2222-4222-8222-bbbbbbbbbbbb",
    "event_id": 2,
    "name": "file",
    "meta-category": "",
    "description": "",
    "template_uuid": "",
    "template_version": 0,
    "timestamp": 1795435260,
    "distribution": 0,
    "sharing_group_id": 0,
    "comment": "",
    "deleted": false,
    "first_seen": null,
    "last_seen": null,
    "ObjectReference": [],
    "Attribute": [
     {
      "id": 4,
      "event_id": 2,
      "object_id": 3,
      "object_relation": "filename",
      "category": "Payload delivery",
      "type": "filename",
      "to_ids": true,
      "uuid": "UUID2",
      "timestamp": 1795435260,
      "distribution": 5,
      "sharing_group_id": 0,
      "comment": "",
      "value": "d.exe",
      "deleted": false,
      "disable_correlation": false,
      "first_seen": null,
      "last_seen": null,
      "Galaxy": [],
      "ShadowAttribute": []
     }
    ]
   }
  ],
  "ShadowAttribute": [],
  "EventReport": [],
  "RelatedEvent": [],
  "Galaxy": [],
  "CryptographicKey": []
 }
}

+ 1m

> provider POST /events/edit/22222222-2222-4222-8222-222222222222
{"Event": {"timestamp": "1795435320", "Object": [{"uuid": "22222222-2222-4222-8222-bbbbbbbbbbbb", "comment": "the loader"}]}}
< 200
{
 "Event": {
  "id": 2,
  "orgc_id": 2,
  "org_id": 2,
  "date": "2026-11-23",
  "threat_level_id": 4,
  "info": "Loader",
  "published": false,
  "uuid": "22222222-2222-4222-8222-222222222222",
  "attribute_count": 1,
  "analysis": 0,
  "timestamp": 1795435320,
  "distribution": 0,
  "locked": false,
  "publish_timestamp": 1795435260,
  "sharing_group_id": 0,
  "disable_correlation": false,
  "extends_uuid": "",
  "proposal_email_lock": false,
  "protected": null,
  "event_creator_email": "bob@provider.example",
  "Org": {
   "id": 2,
   "name": "Provider",
   "uuid": "bbbbbbbb-bbbb-4bbb-8bbb-bbbbbbbbbbbb",
   "local": true
  },
  "Orgc": {
   "id": 2,
   "name": "Provider",
   "uuid": "bbbbbbbb-bbbb-4bbb-8bbb-bbbbbbbbbbbb",
   "local": true
  },
  "Attribute": [],
  "Object": [
   {
    "id": 3,
    "uuid": "22222222-2222-4222-8222-bbbbbbbbbbbb",
    "event_id": 2,
    "name": "file",
    "meta-category": "",
    "description": "",
    "template_uuid": "",
    "template_version": 0,
    "timestamp": 1795435320,
    "distribution": 0,
    "sharing_group_id": 0,
    "comment": "the loader",
    "deleted": false,
    "first_seen": null,
    "last_seen": null,
    "ObjectReference": [],
    "Attribute": [
     {
      "id": 4,
      "event_id": 2,
      "object_id": 3,
      "object_relation": "filename",
      "category": "Payload delivery",
      "type": "filename",
      "to_ids": true,
      "uuid": "UUID2",
      "timestamp": 1795435260,
      "distribution": 5,
      "sharing_group_id": 0,
      "comment": "",
      "value": "d.exe",
      "deleted": false,
      "disable_correlation": false,
      "first_seen": null,
      "last_seen": null,
      "Galaxy": [],
      "ShadowAttribute": []
     }
    ]
   }
  ],
  "ShadowAttribute": [],
  "EventReport": [],
  "RelatedEvent": [],
  "Galaxy": [],
  "CryptographicKey": []
 }
}

> provider POST /events/edit/22222222-2222-4222-8222-222222222222
{"Event": {"timestamp": "1795435320", "Object": [{"uuid": "22222222-2222-4222-8222-bbbbbbbbbbbb", "comment": "too late"}]}}
< 403
{
 "saved": false,
 "name": "Could not edit Event",
 "message": "Could not edit Event",
 "url": "/events/edit/2",
 "errors": "Event could not be saved: Event in the request not newer than the local copy.",
 "id": 2
}
