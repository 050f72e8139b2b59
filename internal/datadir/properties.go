package datadir

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"

	"ottla/internal/vfs"
)

// maxPropertiesBytes bounds what is read of a properties file; ours have some
// two hundred bytes, Kafka's as many.
const maxPropertiesBytes = 64 << 10

// property is one line of a file, in order.
type property struct{ key, value string }

// parseProperties reads the subset of Java's properties that Kafka writes:
// one KEY=VALUE a line, blank lines and comments between them.
func parseProperties(text []byte) (map[string]string, error) {
	m := make(map[string]string)
	for i, line := range strings.Split(string(text), "\n") {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' || line[0] == '!' {
			continue
		}
		key, value, ok := strings.Cut(line, "=")
		if !ok {
			return nil, fmt.Errorf("line %d has no '='", i+1)
		}
		key = strings.TrimSpace(key)
		if _, twice := m[key]; twice {
			return nil, fmt.Errorf("line %d sets %q again", i+1, key)
		}
		m[key] = strings.TrimSpace(value)
	}
	return m, nil
}

// formatProperties is the inverse of parseProperties, with a comment on top.
func formatProperties(comment string, ps ...property) []byte {
	var b strings.Builder
	b.WriteString("# " + comment + "\n")
	for _, p := range ps {
		b.WriteString(p.key + "=" + p.value + "\n")
	}
	return []byte(b.String())
}

// readFile reads a small file; found is false when there is none.
func readFile(f vfs.FS, name string) (text []byte, found bool, err error) {
	file, err := f.OpenFile(name, os.O_RDONLY, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, err
	}
	defer file.Close()
	size, err := file.Size()
	if err != nil {
		return nil, false, err
	}
	if size > maxPropertiesBytes {
		return nil, true, fmt.Errorf("%s has %d bytes, more than any such file", path.Base(name), size)
	}
	text = make([]byte, size)
	if n, err := file.ReadAt(text, 0); err != nil && !(errors.Is(err, io.EOF) && n == len(text)) {
		return nil, true, err
	}
	return text, true, nil
}

// writeFile replaces a file durably.
func writeFile(f vfs.FS, name string, text []byte) error {
	return vfs.Replace(f, name, name+tempSuffix, func(file vfs.File) error {
		_, err := file.WriteAt(text, 0)
		return err
	})
}
