// SPDX-License-Identifier: GPL-2.0

//! Cost against payload, handles and clients, and against how much there is, as figures of three
//! charts a line.

use std::{ops::Range, path::Path, sync::Once};

use anyhow::{anyhow, Result};
use plotters::{
    coord::ranged1d::{AsRangedCoord, ValueFormatter},
    prelude::*,
    style::{register_font, FontStyle},
};

use super::{results::Results, rows::thousands};

/// The size of one chart.
const SIZE: (u32, u32) = (420, 400);

/// Charts on one line.
const WIDE: usize = 3;

const FONT: &str = "sans-serif";

/// Who is drawn, and how.
const SERIES: [(&str, &str, RGBColor); 3] = [
    ("safe", "binder_safe", RGBColor(0, 110, 180)),
    ("c", "C", RGBColor(200, 80, 30)),
    ("rust", "Rust", RGBColor(110, 110, 110)),
];

/// One of the charts: the rows `kind`, by their parameter.
struct Chart {
    kind: &'static str,
    title: &'static str,
    /// What the horizontal axis counts.
    axis: &'static str,
    /// The cost is drawn by its logarithm too.
    steep: bool,
}

/// A figure.
#[derive(Clone, Copy)]
pub struct Figure(&'static [Chart]);

/// What a round trip costs.
pub const COST: Figure = Figure(&[
    Chart {
        kind: "two-way",
        title: "Round trip by payload",
        axis: "bytes in the call",
        steep: true,
    },
    Chart {
        kind: "handles",
        title: "Round trip by handles held",
        axis: "handles",
        steep: false,
    },
    Chart {
        kind: "pool",
        title: "Round trip by clients of one service",
        axis: "clients",
        steep: false,
    },
]);

/// What each costs when there are many.
pub const SCALE: Figure = Figure(&[
    Chart {
        kind: "exit",
        title: "Exit of a process, per open",
        axis: "opens",
        steep: true,
    },
    Chart {
        kind: "close-handles",
        title: "Close, per handle",
        axis: "handles",
        steep: true,
    },
    Chart {
        kind: "close-deaths",
        title: "Close, per death notification",
        axis: "handles with a notification",
        steep: true,
    },
    Chart {
        kind: "close-freezes",
        title: "Close, per freeze notification",
        axis: "handles with a notification",
        steep: true,
    },
    Chart {
        kind: "umount",
        title: "Umount of binderfs, per device",
        axis: "devices",
        steep: true,
    },
    Chart {
        kind: "held",
        title: "Call that brings a handle, and release",
        axis: "handles held",
        steep: false,
    },
]);

impl Figure {
    /// Whether anything that it shows has been measured.
    pub fn is_there(self, results: &Results) -> bool {
        let points = |chart: &Chart, driver| chart.points(results, driver);
        let drawn = |chart| SERIES.iter().any(|one| !points(chart, one.0).is_empty());
        self.0.iter().any(drawn)
    }

    fn lines(self) -> usize {
        self.0.len().div_ceil(WIDE)
    }

    fn size(self) -> (u32, u32) {
        (SIZE.0 * WIDE as u32, SIZE.1 * self.lines() as u32)
    }
}

impl Chart {
    /// The points of one driver.
    fn points(&self, results: &Results, driver: &str) -> Vec<(f64, f64)> {
        let Some(figures) = results.drivers.get(driver) else {
            return Vec::new();
        };
        let mut points: Vec<(f64, f64)> = figures
            .instructions
            .iter()
            .filter_map(|(row, cost)| {
                let parameter = row.strip_prefix(self.kind)?.strip_prefix(':')?;
                Some((parameter.parse().ok()?, *cost))
            })
            // The axis has no place for zero.
            .filter(|point| point.0 > 0.0)
            .collect();
        points.sort_by(|one, other| one.0.total_cmp(&other.0));
        points
    }
}

/// The least and the greatest of `values`, with some room around them.
fn range(values: impl Iterator<Item = f64>) -> Range<f64> {
    let all = values.fold(f64::INFINITY..1.0, |range, value| {
        range.start.min(value)..range.end.max(value)
    });
    all.start.min(all.end / 2.0) * 0.8..all.end * 1.3
}

fn number(value: &f64) -> String {
    match value {
        value if *value >= 1024.0 && *value as u64 % 1024 == 0 => {
            format!("{} Ki", *value as u64 / 1024)
        }
        value => thousands(*value as u64),
    }
}

fn instructions(value: &f64) -> String {
    thousands(*value as u64)
}

/// Draws the series on axes of either kind.
fn series<DB, Y>(
    area: &DrawingArea<DB, plotters::coord::Shift>,
    chart: &Chart,
    results: &Results,
    x: Range<f64>,
    y: Y,
) -> Result<()>
where
    DB: DrawingBackend,
    DB::ErrorType: 'static,
    Y: AsRangedCoord<Value = f64>,
    Y::CoordDescType: Ranged<ValueType = f64> + ValueFormatter<f64>,
{
    let wrong = |error: DrawingAreaErrorKind<DB::ErrorType>| anyhow!("cannot draw: {error}");
    let mut context = ChartBuilder::on(area)
        .caption(chart.title, (FONT, 18))
        .margin(10)
        .x_label_area_size(42)
        .y_label_area_size(72)
        .build_cartesian_2d(x.log_scale().base(2.0), y)
        .map_err(wrong)?;
    context
        .configure_mesh()
        .light_line_style(WHITE)
        .label_style((FONT, 13))
        .axis_desc_style((FONT, 14))
        .x_desc(chart.axis)
        .y_desc("instructions")
        .x_labels(8)
        .x_label_formatter(&number)
        .y_label_formatter(&instructions)
        .draw()
        .map_err(wrong)?;
    for (driver, name, colour) in SERIES {
        let points = chart.points(results, driver);
        if points.is_empty() {
            continue;
        }
        let dots = points
            .iter()
            .map(|point| Circle::new(*point, 3, colour.filled()));
        context.draw_series(dots).map_err(wrong)?;
        context
            .draw_series(LineSeries::new(
                points.iter().copied(),
                colour.stroke_width(2),
            ))
            .map_err(wrong)?
            .label(name)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], colour.stroke_width(2)));
    }
    context
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperLeft)
        .background_style(WHITE.mix(0.8))
        .border_style(BLACK.mix(0.3))
        .label_font((FONT, 14))
        .draw()
        .map_err(wrong)
}

fn draw<DB: DrawingBackend>(backend: DB, figure: Figure, results: &Results) -> Result<()>
where
    DB::ErrorType: 'static,
{
    let wrong = |error: DrawingAreaErrorKind<DB::ErrorType>| anyhow!("cannot draw: {error}");
    let root = backend.into_drawing_area();
    root.fill(&WHITE).map_err(wrong)?;
    let areas = root.split_evenly((figure.lines(), WIDE));
    for (area, chart) in areas.iter().zip(figure.0) {
        let all: Vec<(f64, f64)> = SERIES
            .iter()
            .flat_map(|(driver, ..)| chart.points(results, driver))
            .collect();
        if all.is_empty() {
            continue;
        }
        let (least, most) = all
            .iter()
            .fold((f64::INFINITY, 0.0_f64), |(least, most), point| {
                (least.min(point.0), most.max(point.0))
            });
        let x = least..most;
        match chart.steep {
            true => {
                let y = range(all.iter().map(|point| point.1));
                series(area, chart, results, x, y.log_scale())?;
            }
            false => {
                let top = all.iter().fold(0.0_f64, |top, point| top.max(point.1));
                series(area, chart, results, x, 0.0..top * 1.4)?;
            }
        }
    }
    root.present().map_err(wrong)
}

/// The fonts of this machine have no part in the figure.
fn fonts() -> Result<()> {
    static ONCE: Once = Once::new();
    let mut result = Ok(());
    ONCE.call_once(|| {
        let font = epaint_default_fonts::UBUNTU_LIGHT;
        result = register_font(FONT, FontStyle::Normal, font)
            .map_err(|_| anyhow!("the font cannot be read"));
    });
    result
}

/// A figure as SVG.
pub fn svg(figure: Figure, results: &Results) -> Result<String> {
    fonts()?;
    let mut text = String::new();
    let backend = SVGBackend::with_string(&mut text, figure.size());
    draw(backend, figure, results)?;
    Ok(text)
}

/// Writes a figure as PNG.
pub fn png(figure: Figure, results: &Results, to: &Path) -> Result<()> {
    fonts()?;
    draw(BitMapBackend::new(to, figure.size()), figure, results)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::results::Tools;

    fn results() -> Results {
        let mut results = Results::new(Tools::default());
        for (driver, cost) in [("safe", 15_000.0), ("c", 20_000.0)] {
            let all = results.drivers.entry(driver.to_string()).or_default();
            for size in [4, 128, 65_536] {
                let row = format!("two-way:{size}");
                all.instructions.insert(row, cost + f64::from(size));
            }
        }
        results
    }

    #[test]
    fn the_figure_has_a_line_for_each_driver() {
        let text = svg(COST, &results()).unwrap();
        assert!(text.contains("binder_safe") && text.contains("Round trip by payload"));
        assert_eq!(text, svg(COST, &results()).unwrap());
    }

    #[test]
    fn a_figure_of_what_was_not_measured_is_not_there() {
        let mut results = results();
        assert!(COST.is_there(&results) && !SCALE.is_there(&results));
        let safe = results.drivers.get_mut("safe").unwrap();
        for (row, cost) in [("exit:10", 9000.0), ("held:0", 1.0), ("held:1000", 2.0)] {
            safe.instructions.insert(row.to_string(), cost);
        }
        assert!(SCALE.is_there(&results));
        let text = svg(SCALE, &results).unwrap();
        assert!(text.contains("Exit of a process") && !text.contains("Umount"));
    }

    #[test]
    fn the_picture_is_a_png() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("x.png");
        png(COST, &results(), &file).unwrap();
        assert!(std::fs::read(file).unwrap().starts_with(b"\x89PNG"));
    }
}
