What a search finds, by value.

> telco POST /events/add
{"Event": {"info": "Search", "distribution": 1, "Tag": [{"name": "tlp:green"}], "Attribute": [{"type": "filename|md5", "value": "a.exe|d41d8cd98f00b204e9800998ecf8427e"}, {"type": "filename", "value": "A.exe", "Tag": [{"name": "kind:dropper"}]}, {"type": "url", "value": "http://host.example.org/a"}, {"type": "hostname", "value": "host.example.org", "Tag": [{"name": "kind:c2"}]}, {"type": "comment", "value": "a.exe was seen"}]}}
< 200
{
 "Event": {
  "id": 1,
  "orgc_id": 1,
  "org_id": 1,
  "date": "2026-11-23",
  "threat_level_id": 4,
  "info": "Search",
  "published": false,
  "uuid": "UUID1",
  "attribute_count": 5,
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
    "category": "Payload delivery",
    "type": "filename|md5",
    "to_ids": true,
    "uuid": "UUID2",
    "timestamp": 1795435200,
    "distribution": 5,
    "sharing_group_id": 0,
    "comment": "",
    "value": "a.exe|d41d8cd98f00b204e9800998ecf8427e",
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
    "category": "Payload delivery",
    "type": "filename",
    "to_ids": true,
    "uuid": "UUID3",
    "timestamp": 1795435200,
    "distribution": 5,
    "sharing_group_id": 0,
    "comment": "",
    "value": "A.exe",
    "deleted": false,
    "disable_correlation": false,
    "first_seen": null,
    "last_seen": null,
    "Galaxy": [],
    "ShadowAttribute": [],
    "Tag": [
     {
      "id": 2,
      "name": "kind:dropper",
      "colour": "#211621",
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
   {
    "id": 3,
    "event_id": 1,
    "object_id": 0,
    "object_relation": null,
    "category": "Network activity",
    "type": "url",
    "to_ids": true,
    "uuid": "UUID4",
    "timestamp": 1795435200,
    "distribution": 5,
    "sharing_group_id": 0,
    "comment": "",
    "value": "http://host.example.org/a",
    "deleted": false,
    "disable_correlation": false,
    "first_seen": null,
    "last_seen": null,
    "Galaxy": [],
    "ShadowAttribute": []
   },
   {
    "id": 4,
    "event_id": 1,
    "object_id": 0,
    "object_relation": null,
    "category": "Network activity",
    "type": "hostname",
    "to_ids": true,
    "uuid": "UUID5",
    "timestamp": 1795435200,
    "distribution": 5,
    "sharing_group_id": 0,
    "comment": "",
    "value": "host.example.org",
    "deleted": false,
    "disable_correlation": false,
    "first_seen": null,
    "last_seen": null,
    "Galaxy": [],
    "ShadowAttribute": [],
    "Tag": [
     {
      "id": 3,
      "name": "kind:c2",
      "colour": "#eeec8e",
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
   {
    "id": 5,
    "event_id": 1,
    "object_id": 0,
    "object_relation": null,
    "category": "Other",
    "type": "comment",
    "to_ids": false,
    "uuid": "UUID6",
    "timestamp": 1795435200,
    "distribution": 5,
    "sharing_group_id": 0,
    "comment": "",
    "value": "a.exe was seen",
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
 }
}

A composite is found by either side, and by itself alone.

> telco POST /attributes/restSearch
{"value": "a.exe", "returnFormat": "csv", "requested_attributes": ["type", "value"], "headerless": true}
< 200
X-Result-Count: 2
"filename|md5","a.exe|d41d8cd98f00b204e9800998ecf8427e"
"filename","A.exe"

> telco POST /attributes/restSearch
{"value": "a.exe|d41d8cd98f00b204e9800998ecf8427e", "returnFormat": "csv", "requested_attributes": ["type", "value"], "headerless": true}
< 200
X-Result-Count: 1
"filename|md5","a.exe|d41d8cd98f00b204e9800998ecf8427e"

What only mentions a value is not it.

> telco POST /attributes/restSearch
{"value": "HOST.example.org", "returnFormat": "csv", "requested_attributes": ["type", "value"], "headerless": true}
< 200
X-Result-Count: 1
"hostname","host.example.org"

> telco POST /attributes/restSearch
{"value": "%host%", "returnFormat": "csv", "requested_attributes": ["type", "value"], "headerless": true, "limit": 1, "page": 2}
< 200
X-Result-Count: 2
"hostname","host.example.org"

> telco POST /attributes/restSearch
{"tags": {"AND": ["tlp:green", "kind:%"], "NOT": ["kind:c2"]}, "returnFormat": "csv", "requested_attributes": ["type", "value"], "headerless": true}
< 200
X-Result-Count: 1
"filename","A.exe"

A list for devices holds what is published and marked for them.

> telco POST /attributes/restSearch
{"type": "hostname", "returnFormat": "text"}
< 200
X-Result-Count: 0

> telco POST /attributes/restSearch
{"type": "hostname", "returnFormat": "text", "published": [0, 1]}
< 200
X-Result-Count: 1
host.example.org

> telco POST /attributes/restSearch
{"type": "hostname", "order": "Attribute.password desc"}
< 400
{
 "name": "order: there is no column \"password\" to sort by; try one of [category comment deleted distribution event_id first_seen id last_seen object_id object_relation timestamp to_ids type uuid value value1]",
 "message": "order: there is no column \"password\" to sort by; try one of [category comment deleted distribution event_id first_seen id last_seen object_id object_relation timestamp to_ids type uuid value value1]",
 "url": "/attributes/restSearch"
}

Attributes and events come in the order that was asked for, in pages that fit together.

> telco POST /attributes/restSearch
{"value": "%e%", "order": "Attribute.value desc", "returnFormat": "csv", "requested_attributes": ["type", "value"], "headerless": true, "limit": 2}
< 200
X-Result-Count: 5
"url","http://host.example.org/a"
"hostname","host.example.org"

> telco POST /attributes/restSearch
{"value": "%e%", "order": ["type asc", "value"], "returnFormat": "csv", "requested_attributes": ["type", "value"], "headerless": true, "limit": 2, "page": 2}
< 200
X-Result-Count: 5
"filename|md5","a.exe|d41d8cd98f00b204e9800998ecf8427e"
"hostname","host.example.org"

> telco POST /events/restSearch
{"order": "Event.info desc", "returnFormat": "count"}
< 200
X-Result-Count: 1
1

What MISP takes no notice of, and what nobody knows, is named where something else narrows the search.

> telco POST /attributes/restSearch
{"type": "hostname", "nonsense": 1, "analysis": 2, "returnFormat": "count"}
< 200
X-Result-Count: 1
X-Ignored-Filters: analysis, nonsense
1

> telco POST /attributes/restSearch
{"nonsense": 1}
< 400
{
 "name": "there is no filter [\"nonsense\"] here, and no other that would narrow the search",
 "message": "there is no filter [\"nonsense\"] here, and no other that would narrow the search",
 "url": "/attributes/restSearch"
}

> telco POST /attributes/restSearch
{"limit": -1}
< 400
{
 "name": "limit is a number of 0 or more, not \"-1\"",
 "message": "limit is a number of 0 or more, not \"-1\"",
 "url": "/attributes/restSearch"
}

> telco POST /attributes/restSearch
{"limit": 5, "page": 1000000000000000000}
< 400
{
 "name": "page is a number of 0 or more, not \"1000000000000000000\"",
 "message": "page is a number of 0 or more, not \"1000000000000000000\"",
 "url": "/attributes/restSearch"
}

> telco POST /events/index
{"sort": "password"}
< 400
{
 "name": "order: there is no column \"password\" to sort by; try one of [analysis attribute_count date distribution id info org.name org_id orgc.name orgc_id publish_timestamp published sharing_group_id threat_level_id timestamp user_id uuid]",
 "message": "order: there is no column \"password\" to sort by; try one of [analysis attribute_count date distribution id info org.name org_id orgc.name orgc_id publish_timestamp published sharing_group_id threat_level_id timestamp user_id uuid]",
 "url": "/events/index"
}

> telco POST /events/index
{"limit": -1}
< 400
{
 "name": "limit is a number of 0 or more, not \"-1\"",
 "message": "limit is a number of 0 or more, not \"-1\"",
 "url": "/events/index"
}

> telco POST /events/restSearch
{"publish_timestamp": "5x"}
< 200
X-Result-Count: 0
{
 "response": []
}
