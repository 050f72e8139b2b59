package census

// shares shows where share groups stand that have members at this node's
// partitions. A share-partition that is being loaded has nothing to show.
func (s *scrape) shares() {
	if s.Shares == nil {
		return
	}
	for _, at := range s.Shares() {
		t := s.image.TopicByID(at.Key.TopicID)
		if t == nil || !s.take(&s.left.Shares) {
			continue
		}
		put := func(name string, n int64) {
			s.sheet.Put(name, float64(n), at.Key.Group, t.Name, number(at.Key.Partition))
		}
		put("ottla_share_acquired_records", at.Locked)
		put("ottla_share_redelivered_records", at.Waiting)
		put("ottla_share_delayed_records", at.Delayed)
		put("ottla_share_parked_keys", int64(at.Parked))
		put("ottla_share_dying_records", at.Dying)
	}
}
