package main

import (
	"strings"
	"testing"
)

func chosen(t *testing.T, only, languages string, slow bool) string {
	t.Helper()
	some, err := choose(only, languages, slow)
	if err != nil {
		t.Fatalf("-only %q -languages %q: %v", only, languages, err)
	}
	var names []string
	for _, c := range some {
		names = append(names, c.name)
	}
	return strings.Join(names, ",")
}

// Where a machine has every language, choosing them is choosing all; where it lacks one,
// nothing else is left out.
func TestLanguagesHaveAllTheirClients(t *testing.T) {
	for _, slow := range []bool{false, true} {
		count := 0
		for _, language := range []string{"Go", "Java", "Python", "JavaScript", "Rust"} {
			count += len(strings.Split(chosen(t, "", language, slow), ","))
		}
		if all := chosen(t, "", "", slow); count != len(strings.Split(all, ",")) {
			t.Errorf("the languages have %d clients, and there are %s", count, all)
		}
	}
	if got, want := chosen(t, "", "Go,Rust", false), "aws-go,cloudevents-go,go,sarama,kafka-go,rskafka,rust-rdkafka"; got != want {
		t.Errorf("Go and Rust have %s, want %s", got, want)
	}
}

func TestClientsAreChosenByName(t *testing.T) {
	if got, want := chosen(t, "java,confluent-js", "", false), "java-4.4.0,java-4.1.0,java-3.9.1,java-2.8.2,confluent-js"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	for _, bad := range [][2]string{{"cobol", ""}, {"", "Cobol"}, {"go", "Go"}} {
		if got, err := choose(bad[0], bad[1], false); err == nil {
			t.Errorf("-only %q -languages %q: got %d clients", bad[0], bad[1], len(got))
		}
	}
}
