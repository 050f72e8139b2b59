package main

// shareSteps look at a share group (KIP-932) from its first record to its end.
func shareSteps() []step {
	const tool = "kafka-share-groups"
	return []step{
		{"share: create", "kafka-topics", "--create --topic shared --partitions 1", ""},
		{"share: settings", "kafka-configs", "--alter --entity-type groups --entity-name sharers --add-config share.auto.offset.reset=earliest", ""},
		{"share: settings are described", "kafka-configs", "--describe --entity-type groups --entity-name sharers", ""},
		{"share: produce", "kafka-console-producer", "--topic shared --sync", lines("one", "two", "three")},
		{"share: consume", "kafka-console-share-consumer", "--topic shared --group sharers --max-messages 3 --timeout-ms 30000", ""},
		{"share: list", tool, "--list --state", ""},
		{"share: state", tool, "--describe --group sharers --state", ""},
		{"share: members", tool, "--describe --group sharers --members", ""},
		{"share: offsets", tool, "--describe --group sharers --offsets", ""},
		{"share: offsets in full", tool, "--describe --group sharers --offsets --verbose", ""},
		{"share: reset for show", tool, "--reset-offsets --group sharers --topic shared --to-earliest --dry-run", ""},
		{"share: reset", tool, "--reset-offsets --group sharers --topic shared --to-earliest --execute", ""},
		{"share: offsets after the reset", tool, "--describe --group sharers --offsets", ""},
		{"share: consume again", "kafka-console-share-consumer", "--topic shared --group sharers --max-messages 3 --timeout-ms 30000", ""},
		{"share: delete offsets", tool, "--delete-offsets --group sharers --topic shared", ""},
		{"share: delete offsets again", tool, "--delete-offsets --group sharers --topic shared", ""},
		{"share: delete", tool, "--delete --group sharers", ""},
		{"share: describe what is gone", tool, "--describe --group sharers", ""},
		{"share: delete what is gone", tool, "--delete --group sharers", ""},
	}
}
