// Command docs writes the pages that come from tables in the code:
// docs/compatibility.md from the dispatch table and package known,
// docs/configuration.md from the registry of settings and docs/metrics.md from
// the table of metrics. It writes nothing else, and holds no list of its own but
// the reasons why an API is not served and the titles of the metrics' parts.
//
// Run it at the root of the tree after a change of any: go run ./tools/docs.
// The test beside it fails while a page is stale, and when the table differs
// from what a running node tells its clients.
//
// Files: main.go, then one per page.
package main
