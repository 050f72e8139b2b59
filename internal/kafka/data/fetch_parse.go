package data

import (
	"encoding/binary"

	"ottla/internal/partition"
	"ottla/internal/wire"
)

// Fewest bytes of a partition to fetch, and of one to forget.
const (
	minFetchPartition  = 16 // index, offset, max bytes
	minForgetPartition = 4
)

// parse reads a Fetch body.
func (a *fetchAnswer) parse(body []byte) error {
	v := a.head.Version
	s := scanner{b: body, flex: v >= 12}
	a.replica, a.sessionID, a.sessionEpoch = -1, 0, finalEpoch
	if v <= 14 {
		a.replica = s.int32()
	}
	a.maxWait = maxWaitOf(s.int32())
	a.minBytes = int(s.int32())
	a.maxBytes = int(s.int32())
	a.isolation, a.refused = isolationOf(s.int8())
	if v >= 7 {
		a.sessionID = s.int32()
		a.sessionEpoch = s.int32()
	}
	for n := s.count(minTopic); n > 0 && !s.bad; n-- {
		a.parseTopic(&s)
		for m := s.count(minFetchPartition); m > 0 && !s.bad; m-- {
			a.parsePart(&s)
		}
		s.tags(nil)
	}
	if v >= 7 {
		for n := s.count(minTopic); n > 0 && !s.bad; n-- {
			a.parseTopic(&s)
			for m := s.count(minForgetPartition); m > 0 && !s.bad; m-- {
				a.forgotten = append(a.forgotten, forgottenPart{int32(len(a.topics) - 1), s.int32()})
			}
			s.tags(nil)
		}
	}
	a.anyone, a.rack = v >= 11, a.rack[:0]
	if v >= 11 {
		a.rack = append(a.rack, s.text()...)
	}
	s.tags(a.topTag)
	if s.bad {
		return errMalformed
	}
	if a.replica >= 0 && a.refused == wire.None {
		a.refused = wire.TopicAuthorizationFailed
	}
	return nil
}

// isolationOf reads an isolation level; there are no others than the two.
func isolationOf(level int8) (partition.Isolation, wire.Code) {
	switch level {
	case 0:
		return partition.ReadUncommitted, wire.None
	case 1:
		return partition.ReadCommitted, wire.None
	}
	return partition.ReadUncommitted, wire.InvalidRequest
}

// topTag reads the request's own tagged fields: who says to be a replica says
// it here from v15 on.
func (a *fetchAnswer) topTag(tag int, b []byte) {
	if tag == 1 && len(b) >= 4 && a.head.Version >= 15 {
		a.replica = int32(binary.BigEndian.Uint32(b))
	}
}

// parseTopic reads a topic's name or id.
func (a *fetchAnswer) parseTopic(s *scanner) {
	t := fetchTopic{nameAt: int32(len(a.names))}
	if a.head.Version >= 13 {
		t.id = s.uuid()
	} else {
		name := s.text()
		t.nameLen = int32(len(name))
		a.names = append(a.names, name...)
	}
	a.topics = append(a.topics, t)
}

// parsePart reads a partition to fetch.
func (a *fetchAnswer) parsePart(s *scanner) {
	v := a.head.Version
	p := fetchPart{topic: int32(len(a.topics) - 1), index: s.int32(), leaderEpoch: -1, fetchedEpoch: -1}
	if v >= 9 {
		p.leaderEpoch = s.int32()
	}
	p.offset = s.int64()
	if v >= 12 {
		p.fetchedEpoch = s.int32()
	}
	if v >= 5 {
		s.int64() // log start offset: a follower's
	}
	p.maxBytes = s.int32()
	s.tags(nil) // directory id and high watermark: a follower's
	a.parts = append(a.parts, p)
}
