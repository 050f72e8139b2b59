package book

import (
	"fmt"
	"strings"

	"ottla/internal/log/checkpoint"
	"ottla/internal/vfs"
)

// LifeName is the file that tells under what the last process wrote
// (vfs.FS.Life), and whether somebody still has to hear of a loss. It is written
// without a sync: what a power cut leaves of it is of no life that comes after.
const LifeName = "ottla.life"

// life is what it says.
type life struct {
	id string
	// told: whoever counts on this directory knows what it may lack.
	told bool
}

func (l life) text() []byte {
	return fmt.Appendf(nil, "version: 0\nlife: %s\ntold: %t\n", l.id, l.told)
}

// parseLife reads it; anything else than what text writes is no life.
func parseLife(text []byte) (l life, ok bool) {
	rest, ok := strings.CutPrefix(string(text), "version: 0\nlife: ")
	if !ok {
		return life{}, false
	}
	id, told, ok := strings.Cut(rest, "\ntold: ")
	if !ok || told != "true\n" && told != "false\n" || strings.Contains(id, "\n") {
		return life{}, false
	}
	return life{id, told == "true\n"}, true
}

// takeLife finds out whether anything that was written may be missing, and begins
// this process's life. Where that cannot be written down, the next one takes it
// that something is.
func (b *Book) takeLife() error {
	now := life{id: b.fs.Life(b.path)}
	raw, err := checkpoint.Read(b.fs, b.path+"/"+LifeName)
	last, known := parseLife(raw)
	if err != nil && !missing(err) {
		known = false
	}
	b.Died = known && !b.Clean && now.id != "" && last.id == now.id
	b.MayLack = !b.Clean && !b.Died || known && !last.told
	now.told = !b.MayLack
	return b.writeLife(now, false)
}

// Told notes that whoever counts on this directory knows what it may lack.
func (b *Book) Told() error {
	if b.ended.Load() {
		return nil
	}
	err := b.writeLife(life{b.fs.Life(b.path), true}, false)
	if b.ended.Load() { // meanwhile
		b.EndLife()
	}
	return err
}

// EndLife has the next process take it that something is missing: a disk that
// failed may have dropped what it had not written.
func (b *Book) EndLife() {
	b.ended.Store(true)
	_ = b.fs.Remove(b.path + "/" + LifeName) // of a failed disk
}

// keepUntold makes a loss that nobody has heard of outlive a clean stop.
func (b *Book) keepUntold() error {
	raw, err := checkpoint.Read(b.fs, b.path+"/"+LifeName)
	if l, ok := parseLife(raw); err == nil && ok && l.told {
		return nil
	}
	return b.writeLife(life{b.fs.Life(b.path), false}, true)
}

// writeLife writes it; without room an older one stays, which is of another life
// or has nothing to tell.
func (b *Book) writeLife(l life, durable bool) error {
	err := checkpoint.Write(b.fs, b.path, LifeName, l.text(), durable)
	if vfs.NoSpace(err) {
		return nil
	}
	return err
}
