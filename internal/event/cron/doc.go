// Package cron tells when a schedule runs. It reads what EventBridge Scheduler
// writes (at(…), rate(…) and cron(…) of six fields, with L, W, LW, # and years)
// and what Unix writes (five fields, six with seconds in front, @daily), and
// finds the next run after a moment, in any time zone.
//
// It is not for clocks: it is pure, and the moment comes in as an argument. It
// finds no time zone either: it is given one.
//
// # Where clocks are moved
//
// Fields mean the time that clocks on the wall show in the schedule's zone.
//   - A time that clocks skip does not run: a daily 02:30 has no run on the day
//     that goes from 02:00 to 03:00 at once.
//   - A time that clocks show twice runs once, at the first of the two. Only an
//     expression that runs in every hour (its hours are *, or all 24) runs in
//     both, or it would be silent for an hour.
//   - at() of a time that is skipped runs when the clocks are moved, since it has
//     no other day; of one that comes twice, at the first.
//   - rate() counts elapsed time: a day is 24 hours.
//
// Day of the month and day of the week: where both say something in a Unix
// expression, a day that fits either runs; * and ? say nothing, and only they.
// cron(…) takes one of the two, as AWS does, and wants ? in the other.
//
// Main types: Expression (Parse, Next, Runs), Error (names the field).
//
// Files in reading order: expression.go (what there is, Parse), once.go (at and
// rate), forms.go (the fields of each form), set.go (numbers, names, ranges,
// steps), days.go (L, W and #), next.go (the search), segment.go (time zones),
// mistake.go.
//
// Invariants: Next is after the moment given, and nothing between the two would
// be a run; it looks no further than the year 2199 and costs a bounded number of
// steps, whatever the expression.
//
// Sources: EventBridge Scheduler user guide, "Schedule types" and "Daylight
// savings time"; POSIX crontab(1); Quartz for L, W and #.
package cron
