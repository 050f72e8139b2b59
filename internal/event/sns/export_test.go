package sns

// With makes a service that goes by other objects, as of another node. It tells nobody of
// its sources.
func (s *Service) With(change func(Objects) Objects) *Service {
	o := s.o
	o.Objects, o.Changed, o.Called, o.Metrics = change(o.Objects), nil, nil, nil
	return New(o)
}
