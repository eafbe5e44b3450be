An object's edit names all that the object has afterwards.

> cert POST /events/add
{"uuid": "11111111-1111-4111-8111-111111111111", "info": "A dropper", "distribution": 1}
< 200
{
 "Event": {
  "id": 1,
  "orgc_id": 3,
  "org_id": 3,
  "date": "2026-11-23",
  "threat_level_id": 4,
  "info": "A dropper",
  "published": false,
  "uuid": "11111111-1111-4111-8111-111111111111",
  "attribute_count": 0,
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
  "Object": [],
  "ShadowAttribute": [],
  "EventReport": [],
  "RelatedEvent": [],
  "Galaxy": [],
  "CryptographicKey": []
 }
}

> cert POST /objects/add/1
{"uuid": "11111111-1111-4111-8111-bbbbbbbbbbbb", "name": "file", "meta-category": "file", "description": "d", "template_uuid": "11111111-1111-4111-8111-999999999999", "template_version": "1", "Attribute": [{"uuid": "11111111-1111-4111-8111-cccccccccccc", "type": "filename", "object_relation": "filename", "value": "a.exe"}, {"type": "md5", "object_relation": "md5", "value": "d41d8cd98f00b204e9800998ecf8427e"}]}
< 200
{
 "Object": {
  "id": 1,
  "uuid": "11111111-1111-4111-8111-bbbbbbbbbbbb",
  "event_id": 1,
  "name": "file",
  "meta-category": "file",
  "description": "d",
  "template_uuid": "11111111-1111-4111-8111-999999999999",
  "template_version": 1,
  "timestamp": 1795435200,
  "distribution": 0,
  "sharing_group_id": 0,
  "comment": "",
  "deleted": false,
  "first_seen": null,
  "last_seen": null,
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
    "value1": "a.exe",
    "value2": ""
   },
   {
    "id": 2,
    "event_id": 1,
    "object_id": 1,
    "object_relation": "md5",
    "category": "Payload delivery",
    "type": "md5",
    "to_ids": true,
    "uuid": "UUID1",
    "timestamp": 1795435200,
    "distribution": 5,
    "sharing_group_id": 0,
    "comment": "",
    "value": "d41d8cd98f00b204e9800998ecf8427e",
    "deleted": false,
    "disable_correlation": false,
    "first_seen": null,
    "last_seen": null,
    "value1": "d41d8cd98f00b204e9800998ecf8427e",
    "value2": ""
   }
  ]
 }
}

One that is there already is not added again, if asked.

> cert POST /objects/add/1/breakOnDuplicate:1
{"name": "file", "meta-category": "file", "description": "d", "template_uuid": "11111111-1111-4111-8111-999999999999", "template_version": "1", "Attribute": [{"type": "md5", "object_relation": "md5", "value": "D41D8CD98F00B204E9800998ECF8427E"}, {"type": "filename", "object_relation": "filename", "value": "a.exe"}]}
< 403
{
 "saved": false,
 "name": "Could not add Object",
 "message": "Could not add Object",
 "url": "/objects/add",
 "errors": "Duplicate object found (id: 1). Since breakOnDuplicate is set the object was not added."
}

+ 1m

What is named stays, the file's name is another one, the rest is withdrawn.

> cert POST /objects/edit/1
{"comment": "seen again", "Attribute": [{"uuid": "11111111-1111-4111-8111-cccccccccccc", "value": "b.exe"}, {"type": "sha1", "object_relation": "sha1", "value": "da39a3ee5e6b4b0d3255bfef95601890afd80709"}]}
< 200
{
 "Object": {
  "id": 1,
  "uuid": "11111111-1111-4111-8111-bbbbbbbbbbbb",
  "event_id": 1,
  "name": "file",
  "meta-category": "file",
  "description": "d",
  "template_uuid": "11111111-1111-4111-8111-999999999999",
  "template_version": 1,
  "timestamp": 1795435260,
  "distribution": 0,
  "sharing_group_id": 0,
  "comment": "seen again",
  "deleted": false,
  "first_seen": null,
  "last_seen": null,
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
    "timestamp": 1795435260,
    "distribution": 5,
    "sharing_group_id": 0,
    "comment": "",
    "value": "b.exe",
    "deleted": false,
    "disable_correlation": false,
    "first_seen": null,
    "last_seen": null,
    "value1": "b.exe",
    "value2": "",
    "AttributeTag": []
   },
   {
    "id": 3,
    "event_id": 1,
    "object_id": 1,
    "object_relation": "sha1",
    "category": "Payload delivery",
    "type": "sha1",
    "to_ids": true,
    "uuid": "UUID2",
    "timestamp": 1795435260,
    "distribution": 5,
    "sharing_group_id": 0,
    "comment": "",
    "value": "da39a3ee5e6b4b0d3255bfef95601890afd80709",
    "deleted": false,
    "disable_correlation": false,
    "first_seen": null,
    "last_seen": null,
    "value1": "da39a3ee5e6b4b0d3255bfef95601890afd80709",
    "value2": "",
    "AttributeTag": []
   }
  ]
 },
 "Event": {
  "id": 1,
  "info": "A dropper",
  "org_id": 3,
  "orgc_id": 3
 }
}

If one of them can't be, nothing changes.

> cert POST /objects/edit/1
{"comment": "no", "Attribute": [{"type": "md5", "object_relation": "md5", "value": "zz"}]}
< 403
{
 "saved": false,
 "name": "Could not edit Object",
 "message": "Could not edit Object",
 "url": "/objects/edit/1",
 "errors": {
  "object_0_attribute_0": {
   "value": [
    "Checksum has an invalid length or format (expected: 32 hexadecimal characters). Please double check the value or select type \"other\"."
   ]
  }
 }
}

> cert POST /objects/edit/1
{"distribution": 7}
< 403
{
 "saved": false,
 "name": "Could not edit Object",
 "message": "Could not edit Object",
 "url": "/objects/edit/1",
 "errors": {
  "object_0": {
   "distribution": [
    "it is 0 to 5"
   ]
  }
 }
}

> cert GET /objects/view/1
< 200
{
 "Object": {
  "id": 1,
  "uuid": "11111111-1111-4111-8111-bbbbbbbbbbbb",
  "event_id": 1,
  "name": "file",
  "meta-category": "file",
  "description": "d",
  "template_uuid": "11111111-1111-4111-8111-999999999999",
  "template_version": 1,
  "timestamp": 1795435260,
  "distribution": 0,
  "sharing_group_id": 0,
  "comment": "seen again",
  "deleted": false,
  "first_seen": null,
  "last_seen": null,
  "Event": {
   "id": 1,
   "info": "A dropper",
   "org_id": 3,
   "orgc_id": 3
  },
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
    "timestamp": 1795435260,
    "distribution": 5,
    "sharing_group_id": 0,
    "comment": "",
    "value": "b.exe",
    "deleted": false,
    "disable_correlation": false,
    "first_seen": null,
    "last_seen": null,
    "value1": "b.exe",
    "value2": "",
    "AttributeTag": []
   },
   {
    "id": 3,
    "event_id": 1,
    "object_id": 1,
    "object_relation": "sha1",
    "category": "Payload delivery",
    "type": "sha1",
    "to_ids": true,
    "uuid": "UUID2",
    "timestamp": 1795435260,
    "distribution": 5,
    "sharing_group_id": 0,
    "comment": "",
    "value": "da39a3ee5e6b4b0d3255bfef95601890afd80709",
    "deleted": false,
    "disable_correlation": false,
    "first_seen": null,
    "last_seen": null,
    "value1": "da39a3ee5e6b4b0d3255bfef95601890afd80709",
    "value2": "",
    "AttributeTag": []
   }
  ]
 }
}

> cert POST /objects/edit/1
{"deleted": true}
< 200
{
 "Object": {
  "id": 1,
  "uuid": "11111111-1111-4111-8111-bbbbbbbbbbbb",
  "event_id": 1,
  "name": "file",
  "meta-category": "file",
  "description": "d",
  "template_uuid": "11111111-1111-4111-8111-999999999999",
  "template_version": 1,
  "timestamp": 1795435260,
  "distribution": 0,
  "sharing_group_id": 0,
  "comment": "seen again",
  "deleted": true,
  "first_seen": null,
  "last_seen": null,
  "Attribute": []
 },
 "Event": {
  "id": 1,
  "info": "A dropper",
  "org_id": 3,
  "orgc_id": 3
 }
}

> cert POST /attributes/restSearch
{"eventid": 1, "returnFormat": "count"}
< 200
X-Result-Count: 0
0
