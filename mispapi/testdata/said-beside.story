What MISP drops in silence is named beside the answer.

> cert POST /events/add
{"Event": {"info": "A mixed bag", "distribution": 0, "published": true, "Attribute": [{"type": "ip-dst", "value": "999.1.1.1"}, {"type": "domain", "value": "ok.example.org"}, {"type": "domain", "value": "ok.example.org", "to_ids": "perhaps"}, {"type": "domain", "value": "ok.example.org"}, {"type": "attachment", "value": "a.txt", "data": "aGk="}, {"type": "domain", "value": "x.example.org", "distribution": 260}], "Object": [{"name": "file", "ObjectReference": [{"referenced_uuid": "11111111-1111-4111-8111-111111111111"}], "Attribute": [{"type": "md5", "value": "zz"}, {"type": "filename", "value": "a.exe", "object_relation": "filename"}]}, {"name": "empty", "Attribute": []}], "EventReport": [{"name": "x", "content": "y"}]}}
< 200
{
 "Event": {
  "id": 1,
  "orgc_id": 3,
  "org_id": 3,
  "date": "2026-11-23",
  "threat_level_id": 4,
  "info": "A mixed bag",
  "published": false,
  "uuid": "UUID1",
  "attribute_count": 3,
  "analysis": 0,
  "timestamp": 1795435200,
  "distribution": 0,
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
  "Attribute": [
   {
    "id": 1,
    "event_id": 1,
    "object_id": 0,
    "object_relation": null,
    "category": "Network activity",
    "type": "domain",
    "to_ids": true,
    "uuid": "UUID2",
    "timestamp": 1795435200,
    "distribution": 5,
    "sharing_group_id": 0,
    "comment": "",
    "value": "ok.example.org",
    "deleted": false,
    "disable_correlation": false,
    "first_seen": null,
    "last_seen": null,
    "Galaxy": [],
    "ShadowAttribute": []
   },
   {
    "id": 2,
    "event_id": 1,
    "object_id": 0,
    "object_relation": null,
    "category": "External analysis",
    "type": "attachment",
    "to_ids": false,
    "uuid": "UUID3",
    "timestamp": 1795435200,
    "distribution": 5,
    "sharing_group_id": 0,
    "comment": "",
    "value": "a.txt",
    "deleted": false,
    "disable_correlation": false,
    "first_seen": null,
    "last_seen": null,
    "Galaxy": [],
    "ShadowAttribute": []
   }
  ],
  "Object": [
   {
    "id": 1,
    "uuid": "UUID4",
    "event_id": 1,
    "name": "file",
    "meta-category": "",
    "description": "",
    "template_uuid": "",
    "template_version": 0,
    "timestamp": 1795435200,
    "distribution": 0,
    "sharing_group_id": 0,
    "comment": "",
    "deleted": false,
    "first_seen": null,
    "last_seen": null,
    "ObjectReference": [],
    "Attribute": [
     {
      "id": 3,
      "event_id": 1,
      "object_id": 1,
      "object_relation": "filename",
      "category": "Payload delivery",
      "type": "filename",
      "to_ids": true,
      "uuid": "UUID5",
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
   }
  ],
  "ShadowAttribute": [],
  "EventReport": [
   {
    "id": 1,
    "uuid": "UUID6",
    "event_id": 1,
    "name": "x",
    "content": "y",
    "distribution": 5,
    "sharing_group_id": 0,
    "timestamp": 1795435200,
    "deleted": false
   }
  ],
  "RelatedEvent": [],
  "Galaxy": [],
  "CryptographicKey": []
 },
 "errors": {
  "attribute_0": {
   "value": [
    "IP address has an invalid format."
   ]
  },
  "attribute_2": {
   "to_ids": [
    "it should be true or false"
   ]
  },
  "attribute_3": {
   "value": [
    "A similar attribute already exists for this event."
   ]
  },
  "attribute_5": {
   "distribution": [
    "it is 0 to 5"
   ]
  },
  "object_0": {
   "ObjectReference": [
    "no object 11111111-1111-4111-8111-111111111111"
   ]
  },
  "object_0_attribute_0": {
   "value": [
    "Checksum has an invalid length or format (expected: 32 hexadecimal characters). Please double check the value or select type \"other\"."
   ]
  },
  "object_1": {
   "Attribute": [
    "an object needs an attribute, and none of its own could be taken"
   ]
  }
 }
}

An event whose distribution nobody said is the organisation's own.

> provider GET /events/view/1
< 404
{
 "name": "Invalid event",
 "message": "Invalid event",
 "url": "/events/view/1"
}

A field that can't be read refuses the record: what is absent might share more.

> cert POST /events/add
{"Event": {"info": "x", "distribution": "mine"}}
< 403
{
 "saved": false,
 "name": "Could not add Event",
 "message": "Could not add Event",
 "url": "/events/add",
 "errors": {
  "Event": {
   "distribution": [
    "/Event/distribution: \"mine\" is not a whole number"
   ]
  }
 }
}

> cert POST /attributes/add/1
[{"type": "domain", "value": "y.example.org", "distribution": {}}]
< 403
{
 "saved": false,
 "name": "Could not add Attribute",
 "message": "Could not add Attribute",
 "url": "/attributes/add",
 "errors": {
  "distribution": [
   "it should be a whole number"
  ]
 }
}

> cert POST /attributes/restSearch
{"nonsense": 1}
< 400
{
 "name": "there is no filter [\"nonsense\"] here, and no other that would narrow the search",
 "message": "there is no filter [\"nonsense\"] here, and no other that would narrow the search",
 "url": "/attributes/restSearch"
}

> cert POST /attributes/restSearch
{"nonsense": 1, "type": "domain"}
< 200
X-Result-Count: 1
X-Ignored-Filters: nonsense
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
    "uuid": "UUID2",
    "timestamp": 1795435200,
    "distribution": 5,
    "sharing_group_id": 0,
    "comment": "",
    "value": "ok.example.org",
    "deleted": false,
    "disable_correlation": false,
    "first_seen": null,
    "last_seen": null,
    "Event": {
     "id": 1,
     "uuid": "UUID1",
     "info": "A mixed bag",
     "distribution": 0,
     "publish_timestamp": 0,
     "org_id": 3,
     "orgc_id": 3
    }
   }
  ]
 }
}

> cert POST /events/index
{"searchnonsense": 1}
< 400
{
 "name": "the index of events has no filter \"searchnonsense\"; try one of [all analysis attribute datefrom dateuntil distribution email eventid eventinfo extended hasproposal org proposal published publishtimestamp sharinggroup tag tags threatlevel timestamp]",
 "message": "the index of events has no filter \"searchnonsense\"; try one of [all analysis attribute datefrom dateuntil distribution email eventid eventinfo extended hasproposal org proposal published publishtimestamp sharinggroup tag tags threatlevel timestamp]",
 "url": "/events/index"
}

> cert POST /attributes/restSearch
{"returnFormat": "powerpoint"}
< 404
{
 "name": "Invalid output format.",
 "message": "Invalid output format.",
 "url": "/attributes/restSearch",
 "errors": "There is no format powerpoint. Try one of attack, attack-sightings, cache, context, context-markdown, count, csv, hashes, hosts, json, kunai, netfilter, opendata, openioc, rpz, snort, stix, stix-json, stix-xml, stix2, suricata, text, xml, yara, yara-json, zeek."
}
