package cluster

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"ottla/internal/metadata"
	"ottla/internal/wire"
)

// rotOne turns a bit of a record file on the one disk of the seed that rots, where
// another replica has what it holds.
func (w *World) rotOne() {
	n := w.node(w.rotter)
	lead := w.controller()
	if lead == nil || n.p != nil && w.o.VerifyAge > 0 {
		return // what a running node has just checked it trusts, as it may: its cache is right
	}
	files := n.disk.Files()
	w.chaos.Shuffle(len(files), func(i, j int) { files[i], files[j] = files[j], files[i] })
	for _, name := range files {
		if !w.mayRot(lead.quorum.Image(), n, name) {
			continue
		}
		b, err := n.disk.OnDisk(name)
		if err != nil || len(b) == 0 {
			continue
		}
		from := w.chaos.Int64N(int64(len(b)))
		if w.chaos.IntN(3) == 0 {
			from = max(int64(len(b))-100, 0) // what was written last
		}
		off, err := n.disk.FlipAny(name, from, int64(len(b)))
		if err != nil {
			w.fail("%v: %v", n, err)
		}
		w.hit("bit flipped")
		if n.p == nil {
			w.hit("bit flipped while the node was down")
		}
		w.note("%v: a bit of byte %d of %s (of %d) is turned", n, off, name, len(b))
		return
	}
}

// mayRot tells whether a file is one of records that others have too: everything
// acknowledged is where the others in sync, or eligible, are.
func (w *World) mayRot(img *metadata.Image, n *node, name string) bool {
	rest, ok := strings.CutPrefix(name, dataPath+"/")
	dir, file, found := strings.Cut(rest, "/")
	at := strings.LastIndexByte(dir, '-')
	if !ok || !found || at < 0 || !strings.HasSuffix(file, ".log") {
		return false
	}
	index, err := strconv.Atoi(dir[at+1:])
	t := img.TopicByName(dir[:at])
	if err != nil || t == nil || index >= len(t.Partitions) {
		return false
	}
	x := t.Partitions[index]
	other := func(id int32) bool { return id != n.id && w.covers(w.node(id), n, t, x.Index) }
	return slices.Contains(x.Replicas, n.id) && (slices.ContainsFunc(x.ISR, other) || slices.ContainsFunc(x.ELR, other))
}

// covers tells whether a replica has all that another one has, what is not committed
// too, as far as both run: what the only one has that has it is nobody's to mend.
func (w *World) covers(one, another *node, t *metadata.Topic, index int32) bool {
	if one.p == nil || another.p == nil {
		return true
	}
	has, code := one.p.broker.AnyByID(t.ID, index)
	had, other := another.p.broker.AnyByID(t.ID, index)
	if code != wire.None || other != wire.None {
		return false
	}
	a, b := has.Offsets(), had.Offsets()
	return a.LogStart <= b.LogStart && a.LogEnd >= b.LogEnd
}

// rotten tells whether a replica has damage, found or not.
func (w *World) rotten(t *metadata.Topic, x *metadata.Partition, id int32) bool {
	n := w.node(id)
	if id != w.rotter || !w.o.Rot {
		return false
	}
	if n.p == nil {
		return true // who knows
	}
	part, code := n.p.broker.AnyByID(t.ID, x.Index)
	if code != wire.None || part.Damaged() {
		return true
	}
	for _, base := range part.SegmentBases() {
		if d, err := part.Damages(base); err != nil || len(d) > 0 {
			return true
		}
	}
	return false
}

// scrub reads everything on the disk that rots, as an operator does, and tells what
// is damaged still.
func (w *World) scrub() string {
	p := w.node(w.rotter).p
	if !w.o.Rot {
		return ""
	}
	for _, part := range p.partitions() {
		for _, base := range part.SegmentBases() {
			for _, d := range must(part.Damages(base)) {
				w.hit("damage found by a scrub")
				p.mender.found(part, d.Offset)
			}
		}
	}
	if n := p.mender.keeper.Waiting(); n > 0 {
		return fmt.Sprintf("%v has %d damaged replicas", p.n, n)
	}
	return ""
}

// must is for what fails only when the disk does.
func must[T any](x T, _ error) T { return x }
