package doctor

import (
	"fmt"

	"ottla/internal/cli/out"
)

const (
	manyDescriptors = 0.7
	muchMemory      = 0.6 // of the machine's
)

func descriptors(f *Facts) []Finding {
	if why, missing := f.Missing["process"]; missing {
		return []Finding{skipped("%s", why)}
	}
	open, most := f.Process["process_open_fds"], f.Process["process_max_fds"]
	if most == 0 {
		return []Finding{skipped("the node's metrics do not tell its descriptors")}
	}
	evidence := fmt.Sprintf("%.0f of %.0f open", open, most)
	if open/most > manyDescriptors {
		return []Finding{{Status: Warn, Evidence: evidence, Fix: "raise the limit (LimitNOFILE of the service, ulimit -n), or look for clients that connect again and again"}}
	}
	return []Finding{well("%s", evidence)}
}

func memory(f *Facts) []Finding {
	if why, missing := f.Missing["process"]; missing {
		return []Finding{skipped("%s", why)}
	}
	resident := int64(f.Process["process_resident_memory_bytes"])
	switch {
	case resident == 0:
		return []Finding{skipped("the node's metrics do not tell its memory")}
	case !f.Local || f.Machine == 0:
		return []Finding{well("%s resident (its machine's memory is not known here)", out.Bytes(resident))}
	case float64(resident) > muchMemory*float64(f.Machine):
		return []Finding{{Status: Warn, Evidence: fmt.Sprintf("%s of the machine's %s", out.Bytes(resident), out.Bytes(f.Machine)),
			Fix: "give the machine more memory, or the node fewer connections and partitions"}}
	}
	return []Finding{well("%s of the machine's %s", out.Bytes(resident), out.Bytes(f.Machine))}
}
