package queue

// TopicOf is the topic of a queue as this node knows it at the moment; false where it
// knows of no queue of that name.
func (s *Service) TopicOf(ref Ref) (string, bool) {
	o, there := s.o.Objects.Peek(ref.Full())
	if !there {
		return "", false
	}
	q, err := queueOf(&o)
	if err != nil || q.making || q.ending {
		return "", false
	}
	return q.Topic, true
}
