package chartguard_test

import "testing"

// BenchmarkRender renders the fixture chart without the guard's file, and with
// it in each mode.
func BenchmarkRender(b *testing.B) {
	content := fixtureChart(b)
	chart := loadChart(b, content)
	for _, mode := range []string{"off", "enforce", "warn"} {
		b.Run(mode, func(b *testing.B) {
			for b.Loop() {
				if _, err := renderChart(b, chart, map[string]any{"controllersMigrationsGuard": mode}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
