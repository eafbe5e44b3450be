package mispapi

import (
	"maps"
	"slices"
	"strings"

	"tocsin/access"
	"tocsin/httpd"
)

// An action is one row of the table of routes. Its path may end in ".json", and
// arguments may follow: /events/view/7, /events/index/limit:5/page:2.
type action struct {
	path   string
	verbs  string // the methods it takes
	handle func(*call) error
	// needs is what MISP asks of a role before it looks at anything. It chooses the
	// sentence of a refusal; whether the viewer may is asked by the store.
	needs   access.Permission
	closed  bool   // it is asked of those, too, who only read
	missing answer // to what is not there or not the viewer's to see
	others  string // the sentence where the record is another organisation's
	opts    []httpd.Option
}

// large is for calls that carry whole lists of attributes in one body.
var large = httpd.MaxBody(256 << 20)

// actions is the whole API on one page.
func (a *API) actions() []action {
	asks := []httpd.Option{httpd.Asks}
	list := []httpd.Option{large}
	const get, post, ask, write, remove = "GET", "POST", "GET POST", "POST PUT", "POST DELETE"
	const add, publish, tag, share, admin, site = access.Add, access.Publish, access.Tag, access.SharingGroup, access.OrgAdmin, access.SiteAdmin
	return []action{
		// Events.
		{path: "/events", verbs: "GET POST PUT DELETE", handle: events, missing: noEvent, opts: list}, // and /events/{id}
		{path: "/events/index", verbs: ask, handle: indexEvents, opts: asks},
		{path: "/events/view", verbs: ask, handle: viewEvent, missing: noEvent, opts: asks},
		{path: "/events/restSearch", verbs: ask, handle: searchEvents, opts: asks},
		{path: "/events/add", verbs: "GET POST", handle: addEvent, needs: add, opts: list},
		{path: "/events/pushEventToZMQ", verbs: post, handle: pushEvent, needs: publish, missing: noEvent},
		{path: "/events/upload_stix", verbs: post, handle: uploadSTIX, needs: add, opts: list},
		{path: "/events/edit", verbs: write, handle: editEvent, needs: add, missing: noEvent, others: notAuthorised, opts: list},
		{path: "/events/upload_sample", verbs: post, handle: uploadSample, needs: add, missing: noEvent, opts: list},
		{path: "/events/publish", verbs: post, handle: publishEvent, needs: publish, missing: noEvent},
		{path: "/events/freeTextImport", verbs: post, handle: importText, needs: add, missing: noEvent, opts: list},
		{path: "/events/alert", verbs: post, handle: alertEvent, needs: publish, missing: noEvent},
		{path: "/events/unpublish", verbs: post, handle: unpublishEvent, needs: publish, missing: noEvent},
		{path: "/events/contact", verbs: post, handle: contactReporter, missing: noEvent, opts: asks},
		{path: "/events/delete", verbs: remove, handle: deleteEvent, needs: add, missing: noEvent},
		{path: "/events/addTag", verbs: post, handle: tagEvent, needs: tag, missing: noEvent, others: notOurTags},
		{path: "/events/removeTag", verbs: post, handle: untagEvent, needs: tag, missing: noEvent, others: notOurTags},

		// Files, as they were fetched before there was restSearch.
		{path: "/events/nids", verbs: ask, handle: downloadRules, opts: asks},
		{path: "/events/hids", verbs: ask, handle: downloadHashes, opts: asks},
		{path: "/events/csv/download", verbs: ask, handle: download, opts: asks},
		{path: "/events/xml/download", verbs: ask, handle: download, opts: asks},
		{path: "/events/stix/download", verbs: ask, handle: download, opts: asks},
		{path: "/events/stix2/download", verbs: ask, handle: download, opts: asks},
		{path: "/events/downloadOpenIOCEvent", verbs: ask, handle: download, opts: asks},
		{path: "/attributes/text/download", verbs: ask, handle: download, opts: asks},
		{path: "/attributes/rpz/download", verbs: ask, handle: download, opts: asks},
		{path: "/attributes/bro/download", verbs: ask, handle: download, opts: asks},
		{path: "/events/filterEventIdsForPush", verbs: post, handle: eventsWanted, opts: asks},

		// Layouts of an event's graph are not kept: the portal draws its own.
		{path: "/event_graph", verbs: "GET POST PUT DELETE", handle: noAction, opts: asks},

		// Attributes.
		{path: "/attributes", verbs: "GET POST PUT DELETE", handle: attributes, missing: noAttribute, opts: list},
		{path: "/attributes/view", verbs: ask, handle: viewAttribute, missing: noAttribute, opts: asks},
		{path: "/attributes/restSearch", verbs: ask, handle: searchAttributes, opts: asks},
		{path: "/attributes/describeTypes", verbs: get, handle: describeTypes},
		{path: "/attributes/index", verbs: ask, handle: indexAttributes, opts: asks},
		{path: "/attributes/search", verbs: ask, handle: findAttributes, opts: asks},
		{path: "/attributes/attributeStatistics", verbs: get, handle: attributeStatistics},
		{path: "/attributes/addTag", verbs: post, handle: tagAttribute, needs: tag, missing: noAttributeThere, others: notOurTags},
		{path: "/attributes/removeTag", verbs: post, handle: untagAttribute, needs: tag, missing: noAttributeThere, others: notOurTags},
		{path: "/attributes/add", verbs: post, handle: addAttributes, needs: add, missing: noEvent, opts: list},
		{path: "/attributes/add_attachment", verbs: post, handle: addAttachment, needs: add, missing: noEvent, opts: list},
		{path: "/attributes/download", verbs: get, handle: downloadAttribute, missing: noAttributeThere},
		{path: "/attributes/downloadAttachment/download", verbs: get, handle: downloadAttribute, missing: noAttributeThere},
		{path: "/attributes/viewPicture", verbs: get, handle: viewPicture, missing: noAttributeThere},
		{path: "/attributes/edit", verbs: write, handle: editAttribute, needs: add, missing: noAttribute},
		{path: "/attributes/restore", verbs: post, handle: restoreAttribute, needs: add, missing: noAttributeThere},
		{path: "/attributes/delete", verbs: remove, handle: deleteAttribute, needs: add, missing: noAttributeThere},

		// Objects and their references.
		{path: "/objects/restSearch", verbs: ask, handle: searchObjects, opts: asks},
		{path: "/objects/view", verbs: ask, handle: viewObject, missing: noObject, opts: asks},
		{path: "/objects/add", verbs: post, handle: addObject, needs: add, missing: noEvent, opts: list},
		{path: "/objects/edit", verbs: write, handle: editObject, needs: add, missing: noObject, opts: list},
		{path: "/objects/delete", verbs: remove, handle: deleteObject, needs: add, missing: noObject},
		{path: "/object_references/view", verbs: get, handle: viewReference, missing: noReference},
		{path: "/object_references/add", verbs: post, handle: addReference, needs: add, missing: noReferenced},
		{path: "/object_references/delete", verbs: remove, handle: deleteReference, needs: add, missing: noReference},

		// Tags and collections of them.
		{path: "/tags", verbs: get, handle: indexTags},
		{path: "/tags/index", verbs: get, handle: indexTags},
		{path: "/tags/view", verbs: get, handle: viewTag, missing: noTag},
		{path: "/tags/add", verbs: post, handle: addTag, needs: access.TagEditor},
		{path: "/tags/edit", verbs: write, handle: editTag, needs: access.TagEditor, missing: noTag},
		{path: "/tags/delete", verbs: remove, handle: deleteTag, needs: access.TagEditor, missing: noTag},
		{path: "/tags/search", verbs: ask, handle: searchTags, opts: asks},
		{path: "/tags/tagStatistics", verbs: get, handle: tagStatistics},
		{path: "/tags/attachTagToObject", verbs: post, handle: attachTag, needs: tag, missing: noTarget, others: notOurTags},
		{path: "/tags/removeTagFromObject", verbs: post, handle: removeTag, needs: tag, missing: noTarget, others: notOurTags},
		{path: "/tag_collections", verbs: get, handle: indexTagCollections},
		{path: "/tag_collections/index", verbs: get, handle: indexTagCollections},
		{path: "/tag_collections/view", verbs: get, handle: viewTagCollection, missing: noTagCollection},
		{path: "/tag_collections/add", verbs: post, handle: addTagCollection, needs: access.TagEditor},
		{path: "/tag_collections/edit", verbs: write, handle: editTagCollection, needs: access.TagEditor, missing: noTagCollection},
		{path: "/tag_collections/delete", verbs: remove, handle: deleteTagCollection, needs: access.TagEditor, missing: noTagCollection},
		{path: "/tag_collections/addTag", verbs: post, handle: collectTag, needs: access.TagEditor, missing: noTagCollection},
		{path: "/tag_collections/removeTag", verbs: post, handle: uncollectTag, needs: access.TagEditor, missing: noTagCollection},

		// Proposals, delegations, blocklists.
		{path: "/shadow_attributes", verbs: ask, handle: indexProposals, missing: noEvent, opts: asks},
		{path: "/shadow_attributes/index", verbs: ask, handle: indexProposals, missing: noEvent, opts: asks},
		{path: "/shadow_attributes/view", verbs: get, handle: viewProposal, missing: noProposal},
		{path: "/shadow_attributes/add", verbs: post, handle: addProposal, needs: add, missing: noEvent},
		{path: "/shadow_attributes/edit", verbs: write, handle: editProposal, needs: add, missing: noAttributeThere},
		{path: "/shadow_attributes/delete", verbs: remove, handle: deleteProposal, needs: add, missing: noAttributeThere},
		{path: "/shadow_attributes/accept", verbs: post, handle: acceptProposal, needs: add, missing: notToAccept, others: notAuthorised},
		{path: "/shadow_attributes/discard", verbs: post, handle: discardProposal, needs: add, missing: notToDiscard, others: notAuthorised},
		{path: "/event_delegations", verbs: get, handle: indexHandovers},
		{path: "/event_delegations/index", verbs: get, handle: indexHandovers},
		{path: "/event_delegations/delegateEvent", verbs: post, handle: delegateEvent, needs: access.Delegate, missing: noEvent, others: notAuthorised},
		{path: "/event_delegations/acceptDelegation", verbs: post, handle: acceptHandover, needs: add, missing: noHandover, others: notAuthorised},
		{path: "/event_delegations/deleteDelegation", verbs: remove, handle: dropHandover, needs: add, missing: noHandover, others: notAuthorised},
		{path: "/event_blocklists", verbs: get, handle: eventBlocks.index},
		{path: "/event_blocklists/index", verbs: get, handle: eventBlocks.index},
		{path: "/event_blocklists/add", verbs: post, handle: eventBlocks.add, needs: access.SiteAdmin},
		{path: "/event_blocklists/edit", verbs: write, handle: eventBlocks.edit, needs: access.SiteAdmin, missing: noBlock},
		{path: "/event_blocklists/delete", verbs: remove, handle: eventBlocks.remove, needs: access.SiteAdmin, missing: noBlock},
		{path: "/org_blocklists", verbs: get, handle: orgBlocks.index},
		{path: "/org_blocklists/index", verbs: get, handle: orgBlocks.index},
		{path: "/org_blocklists/add", verbs: post, handle: orgBlocks.add, needs: access.SiteAdmin},
		{path: "/org_blocklists/edit", verbs: write, handle: orgBlocks.edit, needs: access.SiteAdmin, missing: noBlock},
		{path: "/org_blocklists/delete", verbs: remove, handle: orgBlocks.remove, needs: access.SiteAdmin, missing: noBlock},

		// Sightings.
		{path: "/sightings/add", verbs: post, handle: addSighting, needs: access.Sighting, opts: list},
		{path: "/sightings/delete", verbs: remove, handle: deleteSighting, needs: access.Sighting, missing: noSighting},
		{path: "/sightings", verbs: ask, handle: indexSightings, missing: noEvent, opts: asks},
		{path: "/sightings/index", verbs: ask, handle: indexSightings, missing: noEvent, opts: asks},
		{path: "/sightings/listSightings", verbs: ask, handle: listSightings, missing: noSighted, opts: asks},
		{path: "/sightings/restSearch", verbs: ask, handle: searchSightings, opts: asks},
		{path: "/sightings/filterSightingUuidsForPush", verbs: post, handle: knownSightings, missing: noEvent, opts: slices.Concat(asks, list)},
		{path: "/sightings/bulkSaveSightings", verbs: post, handle: saveSightings, needs: access.Sighting, missing: noEvent, opts: list},

		// Event reports.
		{path: "/event_reports", verbs: ask, handle: indexReports, missing: noEvent, opts: asks},
		{path: "/event_reports/index", verbs: ask, handle: indexReports, missing: noEvent, opts: asks},
		{path: "/event_reports/view", verbs: ask, handle: viewReport, missing: noReport, opts: asks},
		{path: "/event_reports/add", verbs: post, handle: addReport, needs: add, missing: noEvent},
		{path: "/event_reports/edit", verbs: write, handle: editReport, needs: add, missing: noReport},
		{path: "/event_reports/delete", verbs: remove, handle: deleteReport, needs: add, missing: noReport},
		{path: "/event_reports/restore", verbs: write, handle: restoreReport, needs: add, missing: noReport},
		{path: "/event_reports/importReportFromUrl", verbs: post, handle: importReport, needs: add, missing: noEvent},

		// Analyst data: notes, opinions, relationships.
		{path: "/analyst_data/index", verbs: ask, handle: indexAnalyst, opts: asks},
		{path: "/analyst_data/view", verbs: ask, handle: viewAnalyst, missing: noAnalyst, opts: asks},
		{path: "/analyst_data/add", verbs: post, handle: addAnalyst, needs: access.Analyst},
		{path: "/analyst_data/edit", verbs: write, handle: editAnalyst, needs: access.Analyst, missing: noAnalyst},
		{path: "/analyst_data/delete", verbs: remove, handle: deleteAnalyst, needs: access.Analyst, missing: noAnalyst},
		{path: "/analyst_data/getRelatedElement", verbs: ask, handle: relatedElement, missing: noAnalyst, opts: asks},
		{path: "/analyst_data/indexMinimal", verbs: ask, handle: minimalAnalyst, opts: asks},
		{path: "/analyst_data/filterAnalystDataForPush", verbs: post, handle: wantedAnalyst, opts: slices.Concat(asks, list)},
		{path: "/analyst_data/pushAnalystData", verbs: post, handle: pushAnalyst, needs: syncing, opts: list},

		// Galaxies and their clusters.
		{path: "/galaxies/update", verbs: post, handle: updateGalaxies, needs: site},
		{path: "/galaxies", verbs: ask, handle: indexGalaxies, opts: asks},
		{path: "/galaxies/index", verbs: ask, handle: indexGalaxies, opts: asks},
		{path: "/galaxies/view", verbs: ask, handle: viewGalaxy, missing: noGalaxy, opts: asks},
		{path: "/galaxies/export", verbs: ask, handle: exportGalaxy, missing: noGalaxy, opts: asks},
		{path: "/galaxies/import", verbs: post, handle: pushClusters, needs: access.GalaxyEditor, opts: list},
		{path: "/galaxies/pushCluster", verbs: post, handle: pushClusters, needs: pushing, opts: list},
		{path: "/galaxies/attachCluster", verbs: post, handle: attachCluster, needs: tag, missing: noTarget, others: notOurTags},
		{path: "/galaxy_clusters/index", verbs: ask, handle: indexClusters, missing: noGalaxy, opts: asks},
		{path: "/galaxy_clusters/view", verbs: ask, handle: viewCluster, missing: noCluster, opts: asks},
		{path: "/galaxy_clusters/restSearch", verbs: ask, handle: searchClusters, opts: asks},
		{path: "/galaxy_clusters/add", verbs: post, handle: addCluster, needs: access.GalaxyEditor, missing: noGalaxy},
		{path: "/galaxy_clusters/edit", verbs: write, handle: editCluster, needs: access.GalaxyEditor, missing: noCluster},
		{path: "/galaxy_clusters/delete", verbs: remove, handle: deleteCluster, needs: access.GalaxyEditor, missing: noCluster},
		{path: "/galaxy_clusters/restore", verbs: write, handle: restoreCluster, needs: access.GalaxyEditor, missing: noCluster},
		{path: "/galaxy_clusters/publish", verbs: post, handle: publishCluster, needs: access.GalaxyEditor | publish, missing: noCluster},
		{path: "/galaxy_clusters/unpublish", verbs: post, handle: unpublishCluster, needs: access.GalaxyEditor | publish, missing: noCluster},
		{path: "/galaxy_clusters/detach", verbs: post, handle: detachCluster, needs: tag, missing: noTarget, others: notOurTags},
		{path: "/galaxy_cluster_relations/view", verbs: ask, handle: viewRelation, missing: noRelation, opts: asks},
		{path: "/galaxy_cluster_relations/add", verbs: post, handle: addRelation, needs: access.GalaxyEditor, missing: noCluster},
		{path: "/galaxy_cluster_relations/edit", verbs: write, handle: editRelation, needs: access.GalaxyEditor, missing: noRelation},
		{path: "/galaxy_cluster_relations/delete", verbs: remove, handle: deleteRelation, needs: access.GalaxyEditor, missing: noRelation},

		// Correlations and what is left out of them.
		{path: "/correlation_exclusions", verbs: ask, handle: indexExclusions, opts: asks},
		{path: "/correlation_exclusions/index", verbs: ask, handle: indexExclusions, opts: asks},
		{path: "/correlation_exclusions/view", verbs: get, handle: viewExclusion, missing: noExclusion},
		{path: "/correlation_exclusions/add", verbs: post, handle: addExclusion, needs: access.SiteAdmin},
		{path: "/correlation_exclusions/edit", verbs: write, handle: editExclusion, needs: access.SiteAdmin, missing: noExclusion},
		{path: "/correlation_exclusions/delete", verbs: remove, handle: deleteExclusion, needs: access.SiteAdmin, missing: noExclusion},
		{path: "/correlation_exclusions/clean", verbs: post, handle: cleanExclusions, needs: access.SiteAdmin},
		{path: "/correlations/top", verbs: ask, handle: topCorrelations, opts: asks},
		{path: "/correlations/generateTopCorrelations", verbs: post, handle: countCorrelations, needs: access.SiteAdmin, opts: asks},
		{path: "/correlations/overCorrelations", verbs: ask, handle: overCorrelations, opts: asks},

		// Decaying models.
		{path: "/decayingModel", verbs: ask, handle: indexModels, opts: asks},
		{path: "/decayingModel/index", verbs: ask, handle: indexModels, opts: asks},
		{path: "/decayingModel/view", verbs: get, handle: viewModel, missing: noModel},
		{path: "/decayingModel/add", verbs: post, handle: addModel, needs: access.Decaying},
		{path: "/decayingModel/edit", verbs: write, handle: editModel, needs: access.Decaying, missing: noModel},
		{path: "/decayingModel/update", verbs: post, handle: updateModels, needs: access.SiteAdmin},
		{path: "/decayingModel/enable", verbs: post, handle: enableModel, needs: access.SiteAdmin, missing: noModel},
		{path: "/decayingModel/disable", verbs: post, handle: disableModel, needs: access.SiteAdmin, missing: noModel},
		{path: "/decayingModelMapping/viewAssociatedTypes", verbs: get, handle: modelTypes, missing: noModel},

		// Taxonomies.
		{path: "/taxonomies", verbs: get, handle: indexTaxonomies},
		{path: "/taxonomies/index", verbs: get, handle: indexTaxonomies},
		{path: "/taxonomies/view", verbs: get, handle: viewTaxonomy, missing: noTaxonomy},
		{path: "/taxonomies/taxonomy_tags", verbs: get, handle: taxonomyTags, missing: noTaxonomy},
		{path: "/taxonomies/export", verbs: get, handle: exportTaxonomy, missing: noTaxonomy},
		{path: "/taxonomies/enable", verbs: post, handle: enableTaxonomy, needs: site},
		{path: "/taxonomies/disable", verbs: post, handle: disableTaxonomy, needs: site},
		{path: "/taxonomies/addTag", verbs: post, handle: addTaxonomyTags, needs: site},
		{path: "/taxonomies/hideTag", verbs: post, handle: hideTaxonomyTags, needs: site},
		{path: "/taxonomies/unhideTag", verbs: post, handle: unhideTaxonomyTags, needs: site},
		{path: "/taxonomies/disableTag", verbs: post, handle: disableTaxonomyTags, needs: site},
		{path: "/taxonomies/toggleRequired", verbs: post, handle: requireTaxonomy, needs: site},
		{path: "/taxonomies/toggleHighlighted", verbs: post, handle: highlightTaxonomy, needs: site},
		{path: "/taxonomies/import", verbs: post, handle: importTaxonomy, needs: site},
		{path: "/taxonomies/update", verbs: post, handle: updateTaxonomies, needs: site},
		{path: "/taxonomies/delete", verbs: remove, handle: deleteTaxonomy, needs: site, missing: noTaxonomy},

		// Object templates.
		{path: "/objectTemplates", verbs: get, handle: indexTemplates},
		{path: "/objectTemplates/index", verbs: get, handle: indexTemplates},
		{path: "/objectTemplates/view", verbs: get, handle: viewTemplate, missing: noTemplate},
		{path: "/objectTemplates/getRaw", verbs: get, handle: rawTemplate, missing: noRawTemplate},
		{path: "/objectTemplates/possibleObjectTemplates", verbs: post, handle: possibleTemplates, opts: asks},
		{path: "/objectTemplates/add", verbs: post, handle: addTemplate, needs: site},
		{path: "/objectTemplates/edit", verbs: write, handle: editTemplate, needs: site, missing: noTemplate},
		{path: "/objectTemplates/delete", verbs: remove, handle: deleteTemplate, needs: site, missing: noTemplate},
		{path: "/objectTemplates/activate", verbs: post, handle: activateTemplate, needs: site},
		{path: "/objectTemplates/update", verbs: post, handle: updateTemplates, needs: site},

		// Sharing groups.
		{path: "/sharing_groups", verbs: get, handle: indexGroups},
		{path: "/sharing_groups/index", verbs: get, handle: indexGroups},
		{path: "/sharing_groups/view", verbs: get, handle: viewGroup, missing: noGroup},
		{path: "/sharing_groups/add", verbs: post, handle: addGroup, needs: share},
		{path: "/sharing_groups/edit", verbs: write, handle: editGroup, needs: share, missing: noGroup},
		{path: "/sharing_groups/addOrg", verbs: post, handle: addMember, needs: share, missing: noGroup},
		{path: "/sharing_groups/delete", verbs: remove, handle: deleteGroup, needs: share, missing: noGroup},
		{path: "/sharing_groups/addServer", verbs: post, handle: addServer, needs: share, missing: noGroup},
		{path: "/sharing_groups/removeServer", verbs: post, handle: removeServer, needs: share, missing: noGroup},
		{path: "/sharing_groups/removeOrg", verbs: post, handle: removeMember, needs: share, missing: noGroup},

		// Organisations.
		{path: "/organisations", verbs: get, handle: indexOrganisations},
		{path: "/organisations/index", verbs: get, handle: indexOrganisations},
		{path: "/organisations/view", verbs: get, handle: viewOrganisation, missing: noOrganisation},
		{path: "/admin/organisations/add", verbs: write, handle: addOrganisation, needs: site},
		{path: "/admin/organisations/edit", verbs: write, handle: editOrganisation, needs: site, missing: noOrganisation},
		{path: "/admin/organisations/delete", verbs: remove, handle: deleteOrganisation, needs: site, missing: noOrganisation},

		// Roles, users, their keys and settings.
		{path: "/roles", verbs: get, handle: indexRoles},
		{path: "/roles/index", verbs: get, handle: indexRoles},
		{path: "/roles/view", verbs: get, handle: viewRole, missing: noRole},
		{path: "/admin/roles/index", verbs: get, handle: indexRoles, needs: site, closed: true},
		{path: "/admin/roles/add", verbs: write, handle: addRole, needs: site},
		{path: "/admin/roles/edit", verbs: write, handle: editRole, needs: site, missing: noRole},
		{path: "/admin/roles/delete", verbs: remove, handle: deleteRole, needs: site, missing: noRole},
		{path: "/admin/roles/set_default", verbs: post, handle: setDefaultRole, needs: site, missing: noRole},
		{path: "/users/view", verbs: get, handle: viewUser, missing: noUser},
		{path: "/users/heartbeat", verbs: get, handle: heartbeat},
		{path: "/users/statistics", verbs: get, handle: userStatistics},
		{path: "/users/registrations", verbs: ask, handle: indexRegistrations, needs: site, closed: true, opts: asks},
		{path: "/users/acceptRegistrations", verbs: post, handle: acceptRegistration, needs: site, missing: noRegistration},
		{path: "/users/discardRegistrations", verbs: remove, handle: discardRegistration, needs: site, missing: noRegistration},
		{path: "/allowedlists", verbs: get, handle: indexAllowed},
		{path: "/allowedlists/index", verbs: ask, handle: indexAllowed, opts: asks},
		{path: "/allowedlists/view", verbs: get, handle: viewAllowed, missing: noAllowed},
		{path: "/admin/allowedlists/index", verbs: get, handle: indexAllowed, needs: access.Regexp, closed: true},
		{path: "/admin/allowedlists/add", verbs: write, handle: addAllowed, needs: access.Regexp},
		{path: "/admin/allowedlists/edit", verbs: write, handle: editAllowed, needs: access.Regexp, missing: noAllowed},
		{path: "/admin/allowedlists/delete", verbs: remove, handle: deleteAllowed, needs: access.Regexp, missing: noAllowed},
		{path: "/users/edit", verbs: write, handle: editProfile, missing: noUser},
		{path: "/users/change_pw", verbs: write, handle: changePassword, missing: noUser},
		{path: "/users/resetauthkey", verbs: post, handle: resetKeys, needs: access.Auth, missing: noUser},
		{path: "/admin/users", verbs: get, handle: indexUsers, needs: admin, closed: true},
		{path: "/admin/users/index", verbs: ask, handle: indexUsers, needs: admin, closed: true, opts: asks},
		{path: "/admin/users/view", verbs: get, handle: administerUser, needs: admin, closed: true, missing: noUser},
		{path: "/admin/users/add", verbs: write, handle: addUser, needs: admin},
		{path: "/admin/users/edit", verbs: write, handle: editUser, needs: admin, missing: noUser},
		{path: "/admin/users/delete", verbs: remove, handle: deleteUser, needs: admin, missing: noUser},
		{path: "/auth_keys", verbs: get, handle: indexKeys},
		{path: "/auth_keys/index", verbs: ask, handle: indexKeys, opts: asks},
		{path: "/auth_keys/view", verbs: get, handle: viewKey, missing: noKey},
		{path: "/auth_keys/add", verbs: write, handle: addKey, needs: access.Auth, missing: noUser},
		{path: "/auth_keys/edit", verbs: write, handle: editKey, needs: access.Auth, missing: noKey},
		{path: "/auth_keys/delete", verbs: remove, handle: deleteKey, needs: access.Auth, missing: noKey},
		{path: "/user_settings", verbs: get, handle: indexUserSettings},
		{path: "/user_settings/index", verbs: ask, handle: indexUserSettings, opts: asks},
		{path: "/user_settings/view", verbs: ask, handle: viewUserSetting, missing: noUserSetting, opts: asks},
		{path: "/user_settings/getSetting", verbs: ask, handle: viewUserSetting, missing: noUserSetting, opts: asks},
		{path: "/user_settings/setSetting", verbs: write, handle: setUserSetting, missing: noUserSetting},
		{path: "/user_settings/delete", verbs: remove, handle: deleteUserSetting, missing: noUserSetting},

		// Feeds and peers.
		{path: "/feeds", verbs: get, handle: indexFeeds},
		{path: "/feeds/index", verbs: ask, handle: indexFeeds, opts: asks},
		{path: "/feeds/view", verbs: get, handle: viewFeed, missing: noFeed},
		{path: "/feeds/add", verbs: write, handle: addFeed, needs: site},
		{path: "/feeds/edit", verbs: write, handle: editFeed, needs: site, missing: noFeed},
		{path: "/feeds/enable", verbs: post, handle: enableFeed, needs: site, missing: noFeed},
		{path: "/feeds/disable", verbs: post, handle: disableFeed, needs: site, missing: noFeed},
		{path: "/feeds/delete", verbs: remove, handle: deleteFeed, needs: site, missing: noFeed},
		{path: "/feeds/previewIndex", verbs: get, handle: previewFeed, needs: site, closed: true, missing: noFeed},
		{path: "/feeds/fetchFromFeed", verbs: ask, handle: fetchFeed, needs: site, closed: true, missing: noFeed},
		{path: "/feeds/fetchFromAllFeeds", verbs: ask, handle: fetchFeeds, needs: site, closed: true},
		{path: "/feeds/cacheFeeds", verbs: ask, handle: cacheFeeds, needs: site, closed: true, missing: noFeed},
		{path: "/feeds/compareFeeds", verbs: get, handle: nothingCached},
		{path: "/feeds/searchCaches", verbs: ask, handle: nothingCached, opts: asks},
		{path: "/feeds/loadDefaultFeeds", verbs: post, handle: loadDefaultFeeds, needs: site},
		{path: "/servers", verbs: get, handle: indexPeers, needs: site, closed: true},
		{path: "/servers/index", verbs: ask, handle: indexPeers, needs: site, closed: true, opts: asks},
		{path: "/servers/add", verbs: write, handle: addPeer, needs: site},
		{path: "/servers/import", verbs: write, handle: importPeer, needs: site},
		{path: "/servers/edit", verbs: write, handle: editPeer, needs: site, missing: noServer},
		{path: "/servers/delete", verbs: remove, handle: deletePeer, needs: site, missing: noServer},
		{path: "/servers/testConnection", verbs: ask, handle: testPeer, needs: site, closed: true, missing: noServer, opts: asks},
		{path: "/servers/createSync", verbs: get, handle: createSync, needs: access.Sync, closed: true},

		// Warninglists and noticelists.
		{path: "/warninglists", verbs: get, handle: indexWarninglists},
		{path: "/warninglists/index", verbs: ask, handle: indexWarninglists, opts: asks},
		{path: "/warninglists/view", verbs: get, handle: viewWarninglist, missing: noListThere},
		{path: "/warninglists/export", verbs: get, handle: exportWarninglist, missing: noListThere},
		{path: "/warninglists/toggleEnable", verbs: post, handle: toggleWarninglists, needs: site},
		{path: "/warninglists/enableWarninglist", verbs: post, handle: enableWarninglist, needs: site, missing: noList},
		{path: "/warninglists/add", verbs: post, handle: addWarninglist, needs: site, opts: list},
		{path: "/warninglists/edit", verbs: write, handle: editWarninglist, needs: site, missing: noList, opts: list},
		{path: "/warninglists/import", verbs: post, handle: importWarninglist, needs: site, opts: list},
		{path: "/warninglists/update", verbs: post, handle: updateWarninglists, needs: site},
		{path: "/warninglists/delete", verbs: remove, handle: deleteWarninglist, needs: site, missing: noList},
		{path: "/warninglists/checkValue", verbs: post, handle: checkValues, opts: asks},
		{path: "/noticelists", verbs: get, handle: indexNoticelists},
		{path: "/noticelists/index", verbs: get, handle: indexNoticelists},
		{path: "/noticelists/view", verbs: get, handle: viewNoticelist, missing: noNoticelist},
		{path: "/noticelists/preview_entries", verbs: get, handle: noticelistEntries, missing: noNoticelist},
		{path: "/noticelists/enableNoticelist", verbs: post, handle: enableNoticelist, needs: site, missing: noNoticelist},
		{path: "/noticelists/toggleEnable", verbs: post, handle: toggleNoticelist, needs: site},
		{path: "/noticelists/update", verbs: post, handle: updateNoticelists, needs: site},
		{path: "/noticelists/delete", verbs: remove, handle: deleteNoticelist, needs: site, missing: noNoticelist},

		// Communities that one may ask to join.
		{path: "/communities", verbs: get, handle: indexCommunities},
		{path: "/communities/index", verbs: get, handle: indexCommunities},
		{path: "/communities/view", verbs: get, handle: viewCommunity, missing: answer{404, "Invalid community."}},

		// The instance: versions, settings, logs, jobs, what can be asked.
		{path: "/servers/getInstanceUUID", verbs: get, handle: instanceUUID},
		{path: "/servers/getSetting", verbs: get, handle: getSetting, needs: site, closed: true},
		{path: "/servers/serverSettings", verbs: get, handle: allSettings, needs: site, closed: true},
		{path: "/servers/serverSettingsEdit", verbs: write, handle: editSetting, needs: site},
		{path: "/servers/dbSchemaDiagnostic", verbs: get, handle: diagnoseSchema, needs: site, closed: true},
		{path: "/servers/getWorkers", verbs: get, handle: workers, needs: site, closed: true},
		{path: "/servers/restartWorkers", verbs: post, handle: noWorkers, needs: site, closed: true, opts: asks},
		{path: "/servers/restartDeadWorkers", verbs: post, handle: noWorkers, needs: site, closed: true, opts: asks},
		{path: "/servers/startWorker", verbs: post, handle: noWorkers, needs: site, closed: true, opts: asks},
		{path: "/servers/stopWorker", verbs: post, handle: noWorkers, needs: site, closed: true, opts: asks},
		{path: "/servers/killAllWorkers", verbs: post, handle: noWorkers, needs: site, closed: true, opts: asks},
		{path: "/servers/update", verbs: post, handle: noUpdate, needs: site, closed: true, opts: asks},
		{path: "/servers/queryACL", verbs: get, handle: queryACL, needs: site, closed: true},
		{path: "/events/queryACL", verbs: get, handle: queryACL, needs: site, closed: true},
		{path: "/api/getAllApis", verbs: get, handle: describeAPI},
		{path: "/admin/logs", verbs: ask, handle: indexLogs, needs: access.Audit, closed: true, opts: asks},
		{path: "/admin/logs/index", verbs: ask, handle: indexLogs, needs: access.Audit, closed: true, opts: asks},
		{path: "/logs/index", verbs: ask, handle: indexLogs, needs: access.Audit, closed: true, opts: asks},
		{path: "/logs/event_index", verbs: get, handle: logOfEvent, missing: noEvent},
		{path: "/collections/index", verbs: get, handle: nothingHere},
		{path: "/taxii_servers/index", verbs: get, handle: nothingHere, needs: site, closed: true},
		{path: "/sightingdb/index", verbs: get, handle: nothingHere, needs: site, closed: true},
		{path: "/bookmarks/index", verbs: get, handle: nothingHere},
		{path: "/dashboards/index", verbs: get, handle: nothingHere},
		{path: "/workflows/index", verbs: get, handle: nothingHere, needs: site, closed: true},
		{path: "/threads/index", verbs: get, handle: nothingHere},
		{path: "/jobs", verbs: get, handle: indexJobs, needs: site, closed: true},
		{path: "/jobs/index", verbs: ask, handle: indexJobs, needs: site, closed: true, opts: asks},
		{path: "/servers/postTest", verbs: post, handle: postTest, opts: asks},
		{path: "/servers/getAvailableSyncFilteringRules", verbs: get, handle: syncRules},
		{path: "/servers/getVersion", verbs: get, handle: version},
		{path: "/servers/getPyMISPVersion", verbs: get, handle: clientVersion},
	}
}

// alsoOurs are first words of paths beneath which package api answers, too.
var alsoOurs = []string{"/api", "/feeds", "/collections"}

// prefixes are those of paths whose errors are rendered MISP's way: the first words,
// or, where another answers beside us, no more than the actions.
func (a *API) prefixes() []string {
	seen := map[string]bool{}
	for _, act := range a.actions() {
		word, rest, _ := strings.Cut(strings.TrimPrefix(act.path, "/"), "/")
		switch word = "/" + word; {
		case !slices.Contains(alsoOurs, word):
			seen[word] = true
		case rest != "":
			seen[act.path] = true
		}
	}
	return slices.Sorted(maps.Keys(seen))
}

// Register puts the routes on s.
func (a *API) Register(s *httpd.Server) {
	for _, act := range a.actions() {
		for _, path := range spellings(act.path) {
			h := a.serve(&act, path)
			for _, pattern := range act.patterns(path) {
				s.Handle(pattern, h, act.opts...)
			}
		}
	}
	s.HandlePublic("/users/register", a.register(s), httpd.MaxBody(maxRegistration))
	s.HandlePublic("/users/register.json", a.register(s), httpd.MaxBody(maxRegistration))
	for _, prefix := range a.prefixes() {
		for _, path := range spellings(prefix) {
			s.RenderErrors(path, renderError)
		}
	}
}

// patterns are what the front is told of a path. Lists that devices fetch stand beneath
// /feeds and /collections, too (package api): there each method has a pattern of its own.
func (act *action) patterns(path string) (out []string) {
	out = []string{path, path + ".json", path + ".xml", path + "/{rest...}"}
	if !strings.HasPrefix(path, "/feeds") && !strings.HasPrefix(path, "/collections") {
		return out
	}
	if strings.Count(path, "/") == 1 {
		out = out[:3]
	}
	var each []string
	for verb := range strings.FieldsSeq(act.verbs) {
		for _, pattern := range out {
			each = append(each, verb+" "+pattern)
		}
	}
	return each
}
