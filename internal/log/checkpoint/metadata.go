package checkpoint

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"ottla/internal/uuid"
)

// AppendMetadata adds the text of a partition.metadata file to b.
func AppendMetadata(b []byte, id uuid.UUID) []byte {
	return fmt.Appendf(b, "version: 0\ntopic_id: %s", id)
}

// ParseMetadata reads a partition.metadata file.
func ParseMetadata(b []byte) (uuid.UUID, error) {
	var id uuid.UUID
	version, seen := false, false
	for line := range strings.Lines(string(b)) {
		key, value, ok := strings.Cut(strings.TrimSpace(line), ":")
		if !ok {
			continue
		}
		switch value = strings.TrimSpace(value); key {
		case "version":
			if value != "0" {
				return uuid.UUID{}, fmt.Errorf("partition.metadata has version %q, want 0", value)
			}
			version = true
		case "topic_id":
			var err error
			if id, err = uuid.Parse(value); err != nil {
				return uuid.UUID{}, fmt.Errorf("partition.metadata: %w", err)
			}
			seen = true
		}
	}
	if !version || !seen {
		return uuid.UUID{}, errors.New("partition.metadata lacks its version or topic id")
	}
	return id, nil
}

// AppendGap adds the text of a .gap file to b.
func AppendGap(b []byte, g Gap) []byte { return fmt.Appendf(b, "0\n%d %d\n", g.From, g.To) }

// ParseGap reads a .gap file.
func ParseGap(b []byte) (Gap, error) {
	var g Gap
	rest, ok := strings.CutPrefix(string(b), "0\n")
	from, to, two := strings.Cut(strings.TrimSuffix(rest, "\n"), " ")
	var ferr, terr error
	g.From, ferr = strconv.ParseInt(from, 10, 64)
	g.To, terr = strconv.ParseInt(to, 10, 64)
	if !ok || !two || ferr != nil || terr != nil || g.From < 0 || g.To <= g.From {
		return Gap{}, fmt.Errorf("gap file says %q, not version 0 and two rising offsets", b)
	}
	return g, nil
}
