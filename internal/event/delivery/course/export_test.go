package course

// Forget has the lane look everything through.
func (l *Lane) Forget() { l.ease = ease{} }
