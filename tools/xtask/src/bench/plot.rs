// SPDX-License-Identifier: GPL-2.0

//! Cost against payload, handles and clients, as one figure of three charts.

use std::{ops::Range, path::Path, sync::Once};

use anyhow::{anyhow, Result};
use plotters::{
    coord::ranged1d::{AsRangedCoord, ValueFormatter},
    prelude::*,
    style::{register_font, FontStyle},
};

use super::{results::Results, rows::thousands};

const SIZE: (u32, u32) = (1260, 400);
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

const CHARTS: [Chart; 3] = [
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
];

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

fn draw<DB: DrawingBackend>(backend: DB, results: &Results) -> Result<()>
where
    DB::ErrorType: 'static,
{
    let wrong = |error: DrawingAreaErrorKind<DB::ErrorType>| anyhow!("cannot draw: {error}");
    let root = backend.into_drawing_area();
    root.fill(&WHITE).map_err(wrong)?;
    for (area, chart) in root.split_evenly((1, CHARTS.len())).iter().zip(&CHARTS) {
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

/// The figure as SVG.
pub fn svg(results: &Results) -> Result<String> {
    fonts()?;
    let mut text = String::new();
    draw(SVGBackend::with_string(&mut text, SIZE), results)?;
    Ok(text)
}

/// Writes the figure as PNG.
pub fn png(results: &Results, to: &Path) -> Result<()> {
    fonts()?;
    draw(BitMapBackend::new(to, SIZE), results)
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
        let text = svg(&results()).unwrap();
        assert!(text.contains("binder_safe") && text.contains("Round trip by payload"));
        assert_eq!(text, svg(&results()).unwrap());
    }

    #[test]
    fn the_picture_is_a_png() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("x.png");
        png(&results(), &file).unwrap();
        assert!(std::fs::read(file).unwrap().starts_with(b"\x89PNG"));
    }
}
