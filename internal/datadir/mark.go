package datadir

import (
	"bytes"
	"errors"
	"fmt"
	"hash/crc32"
	"strconv"
)

// Format is the version of the directory's layout that this code writes. A
// higher one in a directory is refused: what it means is not known here.
const Format = 1

// mark is the content of ottla.properties.
type mark struct {
	format int
	identity
	// joined tells that the node was let into a cluster that others founded.
	joined bool
	// inode is the directory's own inode number when the mark was written,
	// 0 where the file system has none. A copy has another one. The device
	// is left out: its number changes from one mount to the next.
	inode uint64
}

// errNewerFormat is a sound mark of a layout that is not known here.
var errNewerFormat = errors.New("newer format")

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

const (
	checksumKey = "checksum="
	joinedKey   = "joined"
)

// formatMark writes the mark; its last line is the CRC-32C of those above.
func formatMark(m mark) []byte {
	lines := []property{
		{"format", strconv.Itoa(m.format)},
		{"cluster.id", m.clusterID},
		{"node.id", strconv.Itoa(int(m.nodeID))},
		{"directory.id", m.directoryID.String()},
		{"inode", strconv.FormatUint(m.inode, 10)},
	}
	if m.joined {
		lines = append(lines, property{joinedKey, "true"})
	}
	text := formatProperties("Whose directory this is. Written by Ottla; it starts on no other one.", lines...)
	return fmt.Appendf(text, "%s%08x\n", checksumKey, crc32.Checksum(text, castagnoli))
}

// parseMark reads a mark. Only the checksum and the format are judged when
// the format is newer (errNewerFormat), since the rest may mean anything.
func parseMark(text []byte) (mark, error) {
	i := bytes.LastIndex(text, []byte("\n"+checksumKey))
	if i < 0 {
		return mark{}, errors.New("it has no checksum line")
	}
	body, tail := text[:i+1], bytes.TrimSuffix(text[i+1+len(checksumKey):], []byte("\n"))
	if want := fmt.Sprintf("%08x", crc32.Checksum(body, castagnoli)); string(tail) != want {
		return mark{}, fmt.Errorf("its checksum is %q, its content has %s", tail, want)
	}
	p, err := parseProperties(body)
	if err != nil {
		return mark{}, err
	}
	format, err := strconv.Atoi(p["format"])
	if err != nil || format < 1 {
		return mark{}, fmt.Errorf("format %q is not a number above 0", p["format"])
	}
	if format > Format {
		return mark{format: format}, errNewerFormat
	}
	m := mark{format: format, joined: p[joinedKey] == "true"}
	if m.identity, err = parseIdentity(p); err != nil {
		return mark{}, err
	}
	if m.inode, err = strconv.ParseUint(p["inode"], 10, 64); err != nil {
		return mark{}, fmt.Errorf("inode %q is not a number", p["inode"])
	}
	return m, nil
}
