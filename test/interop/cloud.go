package main

import (
	"context"
	"path/filepath"
	"slices"

	"ottla/test/packages"
)

// The versions of CloudEvents' SDKs, with the Kafka clients that their Kafka bindings
// go with.
var (
	cloudPython = []string{"cloudevents==2.2.0", "kafka-python==3.0.12"}
	cloudNode   = []string{"cloudevents@10.0.0", "kafkajs@2.2.4"}
)

const cloudJava = "4.0.1"

var (
	clouds     = []string{"ce-binary", "ce-structured", "ce-batch"}
	cloudKafka = []string{"ce-kafka"}
)

// cloudClients are CloudEvents' SDKs, at the /ce door.
func cloudClients() []client {
	return []client{
		{name: "cloudevents-go", language: "Go", scenarios: clouds, command: module("cego", "cloudevents-go")},
		{name: "cloudevents-python", language: "Python", scenarios: slices.Concat(without(clouds, "ce-batch"), cloudKafka), command: pythonWith(cloudPython, "cloud.py"),
			limits: "it has no batches"},
		{name: "cloudevents-js", language: "JavaScript", scenarios: slices.Concat(clouds, cloudKafka), command: nodeWith(cloudNode, "cloud.js"),
			limits: "it does not decode what the HTTP binding encodes in headers (a space in a subject comes out as %20), and has no bytes as data that come back the same in all modes"},
		{name: "cloudevents-java", language: "Java", scenarios: slices.Concat(without(clouds, "ce-batch"), cloudKafka), command: cloudEventsJava,
			limits: "it has no batches, and does not encode what headers cannot hold; of a record without a value Kafka's consumer asks no deserializer, so an event without data is null"},
	}
}

// cloudEventsJava compiles and runs our program for CloudEvents' SDK for Java.
func cloudEventsJava(ctx context.Context, cache string) (command, error) {
	needed := []string{"org.apache.kafka:kafka-clients:4.1.0"}
	for _, artifact := range []string{"cloudevents-kafka", "cloudevents-http-basic", "cloudevents-json-jackson"} {
		needed = append(needed, "io.cloudevents:"+artifact+":"+cloudJava)
	}
	jars, err := packages.Maven(ctx, cache, needed)
	if err != nil {
		return command{}, err
	}
	dir, err := unpack("java", cache)
	if err != nil {
		return command{}, err
	}
	libs, classes := filepath.Join(jars, "*"), filepath.Join(filepath.Dir(jars), "classes")
	if err := do(ctx, dir, "javac", "-nowarn", "-proc:none", "-encoding", "UTF-8", "-cp", libs, "-d", classes, "Cloud.java"); err != nil {
		return command{}, err
	}
	return command{path: "java", args: []string{"-Xmx256M", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Dfile.encoding=UTF-8", "-Dcloudevents=" + cloudJava,
		"-cp", classes + string(filepath.ListSeparator) + libs, "Cloud"}, dir: dir, id: newID()}, nil
}
