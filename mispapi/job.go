package mispapi

import (
	"slices"
	"sync"
	"time"

	"tocsin"
)

// jobs are what was asked to be done in the background. They are kept in memory, and
// the last of them only: what they change stands in the log.
type jobs struct {
	mu   sync.Mutex
	all  []job
	last int64
}

const maxJobs = 200

type job struct {
	id      int64
	kind    string
	input   string
	org     int64
	message string
	failed  bool
	at      time.Time
	uuid    tocsin.UUID
}

// note keeps a job that has ended, and returns it.
func (js *jobs) note(j job) job {
	js.mu.Lock()
	defer js.mu.Unlock()
	js.last++
	j.id, j.uuid = js.last, tocsin.NewUUID(j.at)
	if js.all = append(js.all, j); len(js.all) > maxJobs {
		js.all = js.all[1:]
	}
	return j
}

// indexJobs answers with the jobs, the newest first.
func indexJobs(c *call) error {
	c.jobs.mu.Lock()
	all := slices.Clone(c.jobs.all)
	c.jobs.mu.Unlock()
	rows := []any{}
	for _, j := range slices.Backward(all) {
		status, said := 4, "Completed"
		if j.failed {
			status, said = 3, "Failed"
		}
		o := c.briefOrg(j.org)
		rows = append(rows, map[string]any{"Job": map[string]any{"id": j.id, "worker": "default", "job_type": j.kind, "job_input": j.input, "status": status,
			"retries": 0, "message": j.message, "progress": 100, "org_id": j.org, "process_id": j.uuid, "date_created": dateTime(j.at), "date_modified": dateTime(j.at),
			"job_status": said, "failed": j.failed, "worker_status": false}, "Org": o})
	}
	return c.reply(c.page(rows))
}

// feedsAreNotRun is how a job ends that would have fetched something.
const feedsAreNotRun = "This exchange keeps feeds, and does not fetch from them yet."
