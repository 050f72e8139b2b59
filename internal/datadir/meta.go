package datadir

import (
	"errors"
	"fmt"
	"strconv"

	"ottla/internal/uuid"
)

// identity is whose a directory is; it never changes.
type identity struct {
	clusterID   string
	nodeID      int32
	directoryID uuid.UUID
}

// formatMeta writes Kafka's meta.properties (version 1).
func formatMeta(id identity) []byte {
	return formatProperties("Written by Ottla for Kafka's tools; ottla.properties decides.",
		property{"cluster.id", id.clusterID},
		property{"directory.id", id.directoryID.String()},
		property{"node.id", strconv.Itoa(int(id.nodeID))},
		property{"version", "1"})
}

// parseMeta reads a meta.properties of version 1.
func parseMeta(text []byte) (identity, error) {
	m, err := parseProperties(text)
	if err != nil {
		return identity{}, err
	}
	if v := m["version"]; v != "1" {
		return identity{}, fmt.Errorf("version is %q, want 1", v)
	}
	return parseIdentity(m)
}

// parseIdentity reads the three identities that both files carry.
func parseIdentity(m map[string]string) (identity, error) {
	id := identity{clusterID: m["cluster.id"]}
	if id.clusterID == "" {
		return identity{}, errors.New("cluster.id is missing")
	}
	node, err := strconv.ParseInt(m["node.id"], 10, 32)
	if err != nil || node < 0 {
		return identity{}, fmt.Errorf("node.id %q is not a number from 0 to 2147483647", m["node.id"])
	}
	id.nodeID = int32(node)
	if id.directoryID, err = uuid.Parse(m["directory.id"]); err != nil {
		return identity{}, fmt.Errorf("directory.id: %w", err)
	}
	if id.directoryID.IsZero() {
		return identity{}, errors.New("directory.id is all zeros")
	}
	return id, nil
}
