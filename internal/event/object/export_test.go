package object

import "github.com/twmb/franz-go/pkg/kgo"

// Writer is the client that wrote last.
func (s *Store) Writer() *kgo.Client { return s.writer }
