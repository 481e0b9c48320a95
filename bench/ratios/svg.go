package main

import (
	"fmt"
	"html"
	"math"
	"strings"
)

var colours = map[string]string{"floor": "#9aa5b1", "sso": "#1f7a4d", "crewjam": "#c2702c", "goxmldsig": "#7b6bb0"}

// draw makes a bar chart with a logarithmic axis: the jobs differ by a factor
// of hundreds.
func draw(rows []row) string {
	const left, width, bar, gap = 190, 470, 16, 18
	lo, hi := math.Inf(1), 0.0
	bars := 0
	for _, r := range rows {
		for _, x := range r.results {
			bars++
			if x.ns > 0 {
				lo, hi = min(lo, x.ns), max(hi, x.ns)
			}
		}
	}
	lo = math.Pow(10, math.Floor(math.Log10(lo)))
	scale := func(ns float64) float64 { return width * math.Log(ns/lo) / math.Log(hi/lo) }
	height := bars*bar + len(rows)*gap + 70
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="800" height="%d" viewBox="0 0 800 %d" font-family="system-ui, sans-serif" font-size="12" role="img" aria-label="Time for one operation, shorter is better">`+"\n", height, height)
	fmt.Fprintf(&b, `<rect width="800" height="%d" fill="#ffffff"/>`+"\n", height)
	fmt.Fprintf(&b, `<text x="16" y="24" font-size="15" font-weight="600" fill="#1b1f24">Time for one operation, shorter is better (logarithmic)</text>`+"\n")
	for t := lo; t <= hi; t *= 10 {
		x := left + scale(t)
		fmt.Fprintf(&b, `<line x1="%.1f" y1="40" x2="%.1f" y2="%d" stroke="#e3e6ea"/><text x="%.1f" y="%d" fill="#57606a" text-anchor="middle">%s</text>`+"\n",
			x, x, height-24, x, height-8, tick(t))
	}
	y := 44
	for _, r := range rows {
		fmt.Fprintf(&b, `<text x="16" y="%d" fill="#1b1f24" font-weight="600">%s</text>`+"\n", y+12, html.EscapeString(r.job))
		for _, x := range r.results {
			fmt.Fprintf(&b, `<text x="%d" y="%d" fill="#57606a" text-anchor="end">%s</text>`, left-8, y+12, x.who)
			if x.ns == 0 {
				fmt.Fprintf(&b, `<text x="%d" y="%d" fill="#57606a">does not finish this job</text>`+"\n", left+4, y+12)
			} else {
				fmt.Fprintf(&b, `<rect x="%d" y="%d" width="%.1f" height="%d" rx="2" fill="%s"/><text x="%.1f" y="%d" fill="#1b1f24">%s</text>`+"\n",
					left, y+1, max(scale(x.ns), 2), bar-3, colours[x.who], left+max(scale(x.ns), 2)+5, y+12, human(x.ns))
			}
			y += bar
		}
		y += gap
	}
	b.WriteString("</svg>\n")
	return b.String()
}

func tick(ns float64) string {
	switch {
	case ns >= 1e6:
		return fmt.Sprintf("%.0f ms", ns/1e6)
	case ns >= 1e3:
		return fmt.Sprintf("%.0f µs", ns/1e3)
	}
	return fmt.Sprintf("%.0f ns", ns)
}
