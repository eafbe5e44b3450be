A bundle of STIX 2 and a package of STIX 1 become events.

> telco POST /events/upload_stix/2
{"type": "bundle", "id": "bundle--4b4ee3ea-eee3-4c8e-8323-85ae32658754", "objects": [{"type": "report", "id": "report--6f747708-7b06-4a38-8233-8321a25ebb79", "name": "Lantern", "published": "2026-11-20T10:00:00Z", "object_marking_refs": ["marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb"]}, {"type": "indicator", "id": "indicator--3e5a4212-8b32-4654-8c69-19fe0dc2592c", "pattern_type": "stix", "pattern": "[domain-name:value = 'lantern.example']"}, {"type": "infrastructure", "id": "infrastructure--3e5a4212-8b32-4654-8c69-19fe0dc2592d", "name": "a rack"}]}
< 200
{
 "Event": {
  "id": 1,
  "orgc_id": 1,
  "org_id": 1,
  "date": "2026-11-20",
  "threat_level_id": 4,
  "info": "Lantern",
  "published": false,
  "uuid": "6f747708-7b06-4a38-8233-8321a25ebb79",
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
    "uuid": "3e5a4212-8b32-4654-8c69-19fe0dc2592c",
    "timestamp": 1795435200,
    "distribution": 5,
    "sharing_group_id": 0,
    "comment": "",
    "value": "lantern.example",
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
    "name": "tlp:green",
    "colour": "#0ffd6e",
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
 },
 "errors": {
  "/infrastructure--3e5a4212-8b32-4654-8c69-19fe0dc2592d": [
   "infrastructure is not a sort of object that an event can hold"
  ]
 }
}

> telco POST /events/upload_stix
<STIX_Package id="example:Package-7f747708-7b06-4a38-8233-8321a25ebb79"><STIX_Header><Title>Harbour</Title></STIX_Header><Indicators><Indicator><Observable><Object><Properties xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="AddressObj:AddressObjectType" category="ipv4-addr"><Address_Value>192.0.2.7##comma##192.0.2.8</Address_Value></Properties></Object></Observable></Indicator></Indicators></STIX_Package>
< 200
{
 "Event": {
  "id": 2,
  "orgc_id": 1,
  "org_id": 1,
  "date": "2026-11-23",
  "threat_level_id": 4,
  "info": "Harbour",
  "published": false,
  "uuid": "7f747708-7b06-4a38-8233-8321a25ebb79",
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
    "id": 2,
    "event_id": 2,
    "object_id": 0,
    "object_relation": null,
    "category": "Network activity",
    "type": "ip-dst",
    "to_ids": true,
    "uuid": "UUID1",
    "timestamp": 1795435200,
    "distribution": 5,
    "sharing_group_id": 0,
    "comment": "",
    "value": "192.0.2.7",
    "deleted": false,
    "disable_correlation": false,
    "first_seen": null,
    "last_seen": null,
    "Galaxy": [],
    "ShadowAttribute": []
   },
   {
    "id": 3,
    "event_id": 2,
    "object_id": 0,
    "object_relation": null,
    "category": "Network activity",
    "type": "ip-dst",
    "to_ids": true,
    "uuid": "UUID2",
    "timestamp": 1795435200,
    "distribution": 5,
    "sharing_group_id": 0,
    "comment": "",
    "value": "192.0.2.8",
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
  "CryptographicKey": []
 }
}

> telco POST /events/upload_stix/2
<html><p>Not here</p></html>
< 405
{
 "name": "Could not read the STIX document.",
 "message": "Could not read the STIX document.",
 "url": "/events/upload_stix/2",
 "errors": "this is no JSON of a bundle: invalid character '\u003c' looking for beginning of value"
}

> telco POST /events/upload_stix
<html><p>Not here</p></html>
< 405
{
 "name": "Could not read the STIX document.",
 "message": "Could not read the STIX document.",
 "url": "/events/upload_stix",
 "errors": "a STIX_Package is expected; there is \u003chtml\u003e"
}

> telco POST /events/upload_stix/3
{}
< 404
{
 "name": "There is no STIX 3 to upload; it is 1 or 2.",
 "message": "There is no STIX 3 to upload; it is 1 or 2.",
 "url": "/events/upload_stix/3"
}
