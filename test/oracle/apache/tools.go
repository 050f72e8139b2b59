package apache

import (
	"context"
	"fmt"
	"os/exec"
	"slices"
	"strings"
)

// commands are Kafka's command names with the classes that have been behind
// them, newest home first.
var commands = map[string][]string{
	"connect-distributed":          {"org.apache.kafka.connect.cli.ConnectDistributed"},
	"connect-standalone":           {"org.apache.kafka.connect.cli.ConnectStandalone"},
	"kafka-acls":                   {"org.apache.kafka.tools.AclCommand", "kafka.admin.AclCommand"},
	"kafka-broker-api-versions":    {"org.apache.kafka.tools.BrokerApiVersionsCommand"},
	"kafka-cluster":                {"org.apache.kafka.tools.ClusterTool"},
	"kafka-configs":                {"org.apache.kafka.tools.ConfigCommand", "kafka.admin.ConfigCommand"},
	"kafka-console-consumer":       {"org.apache.kafka.tools.consumer.ConsoleConsumer"},
	"kafka-console-producer":       {"org.apache.kafka.tools.ConsoleProducer"},
	"kafka-consumer-groups":        {"org.apache.kafka.tools.consumer.group.ConsumerGroupCommand"},
	"kafka-consumer-perf-test":     {"org.apache.kafka.tools.ConsumerPerformance"},
	"kafka-delete-records":         {"org.apache.kafka.tools.DeleteRecordsCommand"},
	"kafka-dump-log":               {"org.apache.kafka.tools.DumpLogSegments", "kafka.tools.DumpLogSegments"},
	"kafka-features":               {"org.apache.kafka.tools.FeatureCommand"},
	"kafka-get-offsets":            {"org.apache.kafka.tools.GetOffsetShell"},
	"kafka-leader-election":        {"org.apache.kafka.tools.LeaderElectionCommand"},
	"kafka-log-dirs":               {"org.apache.kafka.tools.LogDirsCommand"},
	"kafka-metadata-quorum":        {"org.apache.kafka.tools.MetadataQuorumCommand"},
	"kafka-producer-perf-test":     {"org.apache.kafka.tools.ProducerPerformance"},
	"kafka-streams-groups":         {"org.apache.kafka.tools.streams.StreamsGroupCommand"},
	"kafka-share-groups":           {"org.apache.kafka.tools.consumer.group.ShareGroupCommand"},
	"kafka-client-metrics":         {"org.apache.kafka.tools.ClientMetricsCommand"},
	"kafka-console-share-consumer": {"org.apache.kafka.tools.consumer.ConsoleShareConsumer"},
	"kafka-replica-verification":   {"org.apache.kafka.tools.ReplicaVerificationTool"},
	"kafka-storage":                {"kafka.tools.StorageTool", "org.apache.kafka.tools.StorageTool"},
	"kafka-topics":                 {"org.apache.kafka.tools.TopicCommand"},
	"kafka-transactions":           {"org.apache.kafka.tools.TransactionsCommand"},
	"kafka-verifiable-producer":    {"org.apache.kafka.tools.VerifiableProducer"},
	"kafka-verifiable-consumer":    {"org.apache.kafka.tools.VerifiableConsumer"},
	"kafka-reassign-partitions":    {"org.apache.kafka.tools.reassign.ReassignPartitionsCommand"},
	"kafka-groups":                 {"org.apache.kafka.tools.GroupsCommand"},
}

// Names lists the commands.
func Names() []string {
	var out []string
	for n := range commands {
		out = append(out, n)
	}
	slices.Sort(out)
	return out
}

// Command makes one of Kafka's commands ready to run in a JVM of its own, by its
// usual script name (with or without .sh).
func (d *Distribution) Command(ctx context.Context, name string, args ...string) (*exec.Cmd, error) {
	class, err := d.class(name)
	if err != nil {
		return nil, err
	}
	return d.Java(ctx, class, args...), nil
}

// class is the class behind a command.
func (d *Distribution) class(name string) (string, error) {
	name = strings.TrimSuffix(name, ".sh")
	for _, class := range commands[name] {
		if _, ok := d.classes[class]; ok {
			return class, nil
		}
	}
	if commands[name] == nil {
		return "", fmt.Errorf("no Kafka command is named %q; there are %s", name, strings.Join(Names(), ", "))
	}
	return "", fmt.Errorf("release %s of Kafka has no class for %s", d.Version, name)
}

// Java makes any main class on this class path ready to run, with the settings
// that small tools want on a small machine.
func (d *Distribution) Java(ctx context.Context, class string, args ...string) *exec.Cmd {
	return d.java(ctx, d.ClassPath(), class, args...)
}

func (d *Distribution) java(ctx context.Context, classPath, class string, args ...string) *exec.Cmd {
	all := append([]string{"-Xmx512M", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
		"-Djava.awt.headless=true", "-Dlog4j2.level=WARN", "-cp", classPath, class}, args...)
	return exec.CommandContext(ctx, "java", all...)
}
