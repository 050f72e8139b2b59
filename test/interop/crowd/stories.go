package crowd

import (
	"fmt"
	"slices"
)

// Story is one scenario.
type Story struct {
	Name string
	Tell func(World) error
}

// Stories are all of them. restart asks for a restart of the broker; its
// channel is closed when the broker serves again.
func Stories(restart func() <-chan struct{}) []Story {
	return []Story{
		{"group", func(w World) error { return Group(w, "group") }},
		{"commit", commit},
		{"static", static},
		{"group-restart", func(w World) error { return through(w, restart) }},
		{"group-admin", admin},
	}
}

// Group has one, two, three, and again two members; label names its topic.
func Group(w World, label string) error {
	topic, err := w.Create(label, parts)
	if err != nil {
		return err
	}
	var s sight
	var members []Member
	for total := round; total <= 4*round; total += round {
		if total <= 3*round {
			m, err := w.Join(topic, topic, "", s.got)
			if err != nil {
				return err
			}
			members = append(members, m)
		} else {
			if err := members[0].Leave(); err != nil {
				return fmt.Errorf("leave: %w", err)
			}
			members = members[1:]
		}
		if err := oneRound(w, topic, members, &s, total); err != nil {
			return fmt.Errorf("with %d members: %w", len(members), err)
		}
	}
	if err := leaveAll(members); err != nil {
		return err
	}
	if err := s.once(4 * round); err != nil {
		return err
	}
	return committed(w, topic, ends(4*round))
}

func oneRound(w World, topic string, members []Member, s *sight, total int) error {
	if err := settle(members); err != nil {
		return err
	}
	if err := w.Send(topic, parts, total-round, total); err != nil {
		return err
	}
	if err := s.wait(total); err != nil {
		return err
	}
	if err := s.once(total); err != nil {
		return err
	}
	return commitAll(members)
}

func commit(w World) error {
	topic, err := w.Create("commit", 1)
	if err != nil {
		return err
	}
	if err := w.Send(topic, 1, 0, 100); err != nil {
		return err
	}
	var first, next sight
	m, err := w.Join(topic, topic, "", first.got)
	if err != nil {
		return err
	}
	if err := first.wait(100); err != nil {
		return err
	}
	if err := m.Commit(map[int32]int64{0: 60}); err != nil {
		return fmt.Errorf("commit 60: %w", err)
	}
	if err := m.Leave(); err != nil {
		return err
	}
	if err := committed(w, topic, map[int32]int64{0: 60}); err != nil {
		return err
	}
	if m, err = w.Join(topic, topic, "", next.got); err != nil {
		return err
	}
	if err := next.wait(40); err != nil {
		return err
	}
	for i, offset := range next.offsets() {
		if offset != int64(60+i) {
			return fmt.Errorf("record %d of the next member has offset %d, want %d", i, offset, 60+i)
		}
	}
	if err := commitAll([]Member{m}); err != nil {
		return err
	}
	if err := m.Leave(); err != nil {
		return err
	}
	return committed(w, topic, map[int32]int64{0: 100})
}

func pair(w World, label string, s *sight, instances ...string) (topic string, members []Member, err error) {
	if topic, err = w.Create(label, parts); err != nil {
		return "", nil, err
	}
	for _, i := range instances {
		m, err := w.Join(topic, topic, i, s.got)
		if err != nil {
			return "", nil, err
		}
		members = append(members, m)
	}
	return topic, members, settle(members)
}

func static(w World) error {
	var s sight
	topic, members, err := pair(w, "static", &s, "a", "b")
	if err != nil {
		return err
	}
	before, _ := members[0].Owned()
	_, calm := members[1].Owned()
	if err := members[0].Leave(); err != nil {
		return err
	}
	if members[0], err = w.Join(topic, topic, "a", s.got); err != nil {
		return err
	}
	if err := settle(members); err != nil {
		return err
	}
	after, _ := members[0].Owned()
	slices.Sort(before)
	slices.Sort(after)
	if !slices.Equal(before, after) {
		return fmt.Errorf("the member that came back has %v, it had %v", after, before)
	}
	if err := w.Send(topic, parts, 0, round); err != nil {
		return err
	}
	if err := s.wait(round); err != nil {
		return err
	}
	if err := s.once(round); err != nil {
		return err
	}
	if _, n := members[1].Owned(); n != calm {
		return fmt.Errorf("the other member was given partitions %d times, want %d", n, calm)
	}
	return leaveAll(members)
}

func through(w World, restart func() <-chan struct{}) error {
	var s sight
	topic, members, err := pair(w, "group-restart", &s, "", "")
	if err != nil {
		return err
	}
	if err := w.Send(topic, parts, 0, round); err != nil {
		return err
	}
	if err := s.wait(round); err != nil {
		return err
	}
	if err := commitAll(members); err != nil {
		return err
	}
	total := round
	for back := restart(); ; {
		if err := w.Send(topic, parts, total, total+parts); err != nil {
			return fmt.Errorf("send through the restart: %w", err)
		}
		total += parts
		select {
		case <-back:
		default:
			continue
		}
		break
	}
	if err := w.Send(topic, parts, total, total+round); err != nil {
		return err
	}
	total += round
	if err := s.wait(total); err != nil {
		return err
	}
	if err := settle(members); err != nil {
		return err
	}
	want, err := sentEnds(w, topic, total)
	if err != nil {
		return err
	}
	if err := commitEnds(w, topic, members, want); err != nil {
		return err
	}
	if err := leaveAll(members); err != nil {
		return err
	}
	return committed(w, topic, want)
}

func admin(w World) error {
	var s sight
	topic, members, err := pair(w, "group-admin", &s, "", "")
	if err != nil {
		return err
	}
	if err := w.Send(topic, parts, 0, round); err != nil {
		return err
	}
	if err := s.wait(round); err != nil {
		return err
	}
	if err := commitAll(members); err != nil {
		return err
	}
	if err := look(w, topic, "Stable", 2); err != nil {
		return err
	}
	if err := committed(w, topic, ends(round)); err != nil {
		return err
	}
	if got, err := w.Delete(topic); err != nil || got != "NON_EMPTY_GROUP" {
		return fmt.Errorf("deleting a live group gives %s, %w", got, err)
	}
	if err := leaveAll(members); err != nil {
		return err
	}
	if err := until("the empty group", func() (bool, string) {
		err := look(w, topic, "Empty", 0)
		return err == nil, fmt.Sprint(err)
	}); err != nil {
		return err
	}
	if got, err := w.Delete(topic); err != nil || got != "NONE" {
		return fmt.Errorf("deleting an empty group gives %s, %w", got, err)
	}
	all, err := w.List()
	if err == nil && slices.Contains(all, topic) {
		err = fmt.Errorf("%s is listed after it was deleted", topic)
	}
	return err
}

// look lists and describes a group.
func look(w World, group, state string, members int) error {
	all, err := w.List()
	if err != nil {
		return fmt.Errorf("list groups: %w", err)
	}
	if !slices.Contains(all, group) {
		return fmt.Errorf("%s is not listed", group)
	}
	got, clients, err := w.Describe(group)
	if err != nil {
		return fmt.Errorf("describe the group: %w", err)
	}
	if got != state || len(clients) != members || slices.ContainsFunc(clients, func(c string) bool { return c != "interop" }) {
		return fmt.Errorf("the group is %s with clients %q, want %s with %d named interop", got, clients, state, members)
	}
	return nil
}
