Communities that one may ask to join.

> telco GET /communities/view/1
< 200
{
 "Community": {
  "id": 1,
  "name": "CIRCL Private Sector Information Sharing Community - aka MISPPRIV",
  "uuid": "UUID1",
  "org_uuid": "UUID2",
  "org_name": "CIRCL",
  "description": "Companies, banks and security firms of many countries share here what they meet; CIRCL, Luxembourg's incident response centre for the private sector, runs it.",
  "url": "https://www.circl.lu/misp/",
  "sector": "Various",
  "nationality": "International",
  "type": "Vetted Information Sharing Community",
  "email": "info@circl.lu",
  "misp_project_vetted": true,
  "scope_of_data_to_be_shared": "Indicators, reports, what is known of actors, and of fraud."
 }
}

> telco GET /communities/view/6201a65a-38fa-4b4a-bea7-cf1fb7bc1563
< 200
{
 "Community": {
  "id": 2,
  "name": "CIRCL n/g CSIRT information sharing community - aka MISP",
  "uuid": "6201a65a-38fa-4b4a-bea7-cf1fb7bc1563",
  "org_uuid": "UUID2",
  "org_name": "CIRCL",
  "description": "National and governmental response teams of the European Economic Area share here.",
  "url": "https://www.circl.lu/misp/",
  "sector": "n/g CSIRTs in EEA",
  "nationality": "International",
  "type": "Vetted Information Sharing Community",
  "email": "info@circl.lu",
  "misp_project_vetted": true,
  "scope_of_data_to_be_shared": "Indicators, reports, what is known of actors, and of fraud."
 }
}

> telco GET /communities/view/99
< 404
{
 "name": "Invalid community.",
 "message": "Invalid community.",
 "url": "/communities/view/99"
}
