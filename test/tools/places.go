package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/twmb/franz-go/pkg/kgo"

	"ottla/internal/uuid"
	"ottla/test/realfault"
	"ottla/test/rig"
)

// places puts what is this side's own where words of a step stand for it: FILE is
// a file with the step's text, PROPERTIES-N one with the settings of node N, as its
// tools want them, DIRECTORY-N the id of the directory of its metadata log. It gives
// what removes the files again.
func (s *side) places(ctx context.Context, args []string, text string) (remove func(), err error) {
	var made []string
	remove = func() {
		for _, name := range made {
			_ = os.Remove(name) // of the machine's folder for such files
		}
	}
	defer func() {
		if err != nil {
			remove()
		}
	}()
	for i, a := range args {
		word, number, _ := strings.Cut(a, "-")
		n := 0
		switch word {
		case "PROPERTIES", "DIRECTORY":
			if n, err = strconv.Atoi(number); err != nil {
				return nil, fmt.Errorf("which node %s is: %w", a, err)
			}
		}
		switch {
		case a == "FILE":
			args[i], err = writeTemp(text)
			made = append(made, args[i])
		case word == "PROPERTIES" && s.cluster.Node(n).Kind == rig.Kafka:
			args[i] = filepath.Join(filepath.Dir(s.cluster.Node(n).Data), "server.properties")
		case word == "PROPERTIES":
			args[i], err = writeTemp(properties(s.cluster.Node(n), n))
			made = append(made, args[i])
		case word == "DIRECTORY":
			args[i], err = s.directory(ctx, int32(n))
		}
		if err != nil {
			return nil, err
		}
	}
	return remove, nil
}

// properties are what Kafka's tools ask of a node's settings, for one of Ottla's,
// which has no such file.
func properties(n *rig.Node, number int) string {
	return fmt.Sprintf("process.roles=broker,controller\nnode.id=%d\nlisteners=PLAINTEXT://%s\ncontroller.listener.names=PLAINTEXT\nlog.dirs=%s\n", number, n.Addr, n.Data)
}

// directory is the id under which a node takes part in the quorum.
func (s *side) directory(ctx context.Context, node int32) (string, error) {
	c, err := kgo.NewClient(kgo.SeedBrokers(s.addrs()...))
	if err != nil {
		return "", err
	}
	defer c.Close()
	q, err := realfault.Quorum(ctx, c.Request)
	if err != nil {
		return "", err
	}
	for _, r := range append(q.CurrentVoters, q.Observers...) {
		if r.ReplicaID == node {
			return uuid.UUID(r.ReplicaDirectoryID).String(), nil
		}
	}
	return "", errors.New("node " + strconv.Itoa(int(node)) + " takes no part in the quorum")
}
