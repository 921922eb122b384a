//! The figures as a drawing: horizontal bars, a group a workload, on a logarithmic scale.
//!
//! It stands on light and on dark pages: the bars have colours that show on both, the text follows
//! what the reader prefers, and nothing is behind it.

use std::fmt::Write;

use crate::figures::{Bar, Group};
use crate::program::Program;
use crate::table::seconds;
use crate::workload::Work;

const WIDTH: f64 = 760.0;
/// Where bars begin, behind the names.
const LEFT: f64 = 150.0;
/// What is left beside the longest bar, for its time.
const RIGHT: f64 = 80.0;
const ROW: f64 = 17.0;
const TITLE: f64 = 26.0;
const TOP: f64 = 30.0;

/// None if there is nothing to draw.
pub fn svg(groups: &[Group]) -> Option<String> {
    let drawn = |group: &&Group| !matches!(group.workload.work, Work::Known(_));
    let groups: Vec<&Group> = groups.iter().filter(drawn).collect();
    let scale = Scale::of(groups.iter().flat_map(|group| &group.bars))?;
    let mut body = String::new();
    let mut y = TOP;
    for group in &groups {
        y += TITLE;
        text(&mut body, 0.0, y - 8.0, "title", &group.workload.title());
        for bar in &group.bars {
            draw(&mut body, &scale, bar, y);
            y += ROW;
        }
    }
    let height = y + 12.0;
    let axis = axis(&scale, height);
    Some(format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{height}\" \
         viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" aria-labelledby=\"title desc\">\n\
         <title id=\"title\">Seconds that fetching mail takes, by program and work</title>\n\
         <desc id=\"desc\">{}</desc>\n{STYLE}{axis}{body}</svg>\n",
        description(&groups)
    ))
}

const STYLE: &str = "<style>
text { font: 12px system-ui, sans-serif; fill: #24292f }
.title { font-weight: bold }
.end { text-anchor: end }
.axis { text-anchor: middle; fill: #57606a }
.unit { fill: #57606a }
line { stroke: #8b949e; stroke-opacity: 0.4 }
@media (prefers-color-scheme: dark) { text { fill: #e6edf3 } .axis, .unit { fill: #8b949e } }
</style>
";

/// Seconds to places.
struct Scale {
    /// Powers of ten.
    from: f64,
    to: f64,
}

impl Scale {
    fn of<'a>(bars: impl Iterator<Item = &'a Bar>) -> Option<Self> {
        let logarithms: Vec<f64> = bars.map(|bar| bar.seconds().log10()).collect();
        let least = logarithms.iter().copied().reduce(f64::min)?;
        let most = logarithms.iter().copied().reduce(f64::max)?;
        // The shortest bar is to be seen, too.
        let from = (least - 0.2).floor();
        Some(Self {
            from,
            to: most.max(from + 1.0),
        })
    }

    fn x(&self, logarithm: f64) -> f64 {
        LEFT + (logarithm - self.from) / (self.to - self.from) * (WIDTH - LEFT - RIGHT)
    }
}

fn axis(scale: &Scale, height: f64) -> String {
    let mut drawn = String::new();
    text(&mut drawn, 0.0, TOP - 14.0, "unit", "time, logarithmic");
    let mut power = scale.from;
    while power <= scale.to {
        let x = scale.x(power);
        let label = format!("{} s", 10_f64.powf(power));
        text(&mut drawn, x, TOP - 14.0, "axis", &label);
        let _ = writeln!(
            drawn,
            "<line x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{:.1}\" y2=\"{:.1}\"/>",
            TOP - 8.0,
            height - 8.0
        );
        power += 1.0;
    }
    drawn
}

fn draw(body: &mut String, scale: &Scale, bar: &Bar, y: f64) {
    let name = match bar.variant {
        Some(_) => "slowest alone",
        None => bar.program.name(),
    };
    let (begin, end) = (LEFT, scale.x(bar.seconds().log10()));
    let base = y + ROW - 5.0;
    text(body, begin - 8.0, base, "end", name);
    let opacity = if bar.estimated.is_some() { 0.5 } else { 1.0 };
    let _ = writeln!(
        body,
        "<rect x=\"{begin:.1}\" y=\"{y:.1}\" width=\"{:.1}\" height=\"{:.1}\" rx=\"2\" \
         fill=\"{}\" fill-opacity=\"{opacity}\"/>",
        end - begin,
        ROW - 3.0,
        colour(bar.program)
    );
    let star = if bar.estimated.is_some() { "*" } else { "" };
    text(
        body,
        end + 6.0,
        base,
        "time",
        &(seconds(bar.seconds()) + star),
    );
}

fn colour(program: Program) -> &'static str {
    match program {
        Program::Limit => "#8b949e",
        Program::Storing => "#6e7781",
        Program::Popfetch => "#1a7f64",
        Program::Mpop => "#3b82c4",
        Program::Fdm => "#b7791f",
        Program::Fetchmail => "#c2553f",
        Program::Getmail => "#8e5bb5",
        Program::Mbsync => "#c2548f",
        Program::Offlineimap => "#5b8e7d",
    }
}

fn text(into: &mut String, x: f64, y: f64, class: &str, said: &str) {
    let _ = writeln!(
        into,
        "<text x=\"{x:.1}\" y=\"{y:.1}\" class=\"{class}\">{}</text>",
        escaped(said)
    );
}

/// All figures in words, for whoever does not see them.
fn description(groups: &[&Group]) -> String {
    let groups = groups.iter().map(|group| {
        let bars = group.bars.iter();
        let bars = bars.map(|bar| format!("{} {}", bar.label(), seconds(bar.seconds())));
        let bars: Vec<String> = bars.collect();
        format!("{}: {}.", group.workload.title(), bars.join(", "))
    });
    escaped(&groups.collect::<Vec<_>>().join(" "))
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}
