//! Plots by `plotters`, as SVG. Its units here are half pixels of the page, so that lines may lie between two pixels.

use std::io;
use std::ops::Range;

use plotters::chart::ChartContext;
use plotters::drawing::DrawingAreaErrorKind;
use plotters::prelude::{
    Cartesian2d, ChartBuilder, Color as _, EmptyElement, IntoDrawingArea as _, IntoFont as _,
    LineSeries, PathElement, Polygon, Rectangle, SVGBackend, Text, TextStyle,
};
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::ReportError;
use super::axis::Axis;
use super::course::Mark;
use super::ink::Ink;
use super::page::Svg;

/// What the library says when it cannot draw.
pub(super) type DrawError = DrawingAreaErrorKind<io::Error>;

/// Whether something was drawn.
pub(super) type Drawn = Result<(), DrawError>;

/// What is drawn on.
pub(super) struct Canvas<'area, 'text> {
    chart: ChartContext<'area, SVGBackend<'text>, Cartesian2d<Axis, Axis>>,
    height: f64,
}

/// The size and the axes of a plot.
#[derive(Debug, Clone)]
pub(super) struct Frame {
    pub(super) size: (u32, u32),
    pub(super) x: Axis,
    pub(super) y: Axis,
    /// What the upright axis counts.
    pub(super) counts: &'static str,
}

/// A plot over the whole width of the page.
pub(super) const WIDE: (u32, u32) = (1_840, 560);
/// One of two beside each other.
pub(super) const SMALL: (u32, u32) = (900, 400);

const LETTERS: u32 = 30;
const LINE: u32 = 4;

/// Draws a plot.
pub(super) fn plot(
    title: &str,
    frame: &Frame,
    draw: impl FnOnce(&mut Canvas<'_, '_>) -> Drawn,
) -> Result<Svg, ReportError> {
    let mut text = String::new();
    drawn(&mut text, frame, draw)
        .map_err(|error| ReportError::Draw { plot: title.to_owned(), error })?;
    Ok(Svg::of_library(text))
}

fn drawn(
    text: &mut String,
    frame: &Frame,
    draw: impl FnOnce(&mut Canvas<'_, '_>) -> Drawn,
) -> Drawn {
    let root = SVGBackend::with_string(text, frame.size).into_drawing_area();
    let mut chart = ChartBuilder::on(&root)
        .margin_top(50)
        .margin_right(64)
        .margin_left(16)
        .margin_bottom(8)
        .x_label_area_size(48)
        .y_label_area_size(128)
        .build_cartesian_2d(frame.x.clone(), frame.y.clone())?;
    chart
        .configure_mesh()
        .disable_x_mesh()
        .bold_line_style(Ink::Grid.colour().stroke_width(2))
        .axis_style(Ink::Axis.colour().stroke_width(2))
        .label_style(letters(Ink::Label))
        .axis_desc_style(letters(Ink::Label))
        .y_desc(frame.counts)
        .draw()?;
    draw(&mut Canvas { chart, height: frame.y.end })?;
    root.present()
}

fn letters(ink: Ink) -> TextStyle<'static> {
    let colour = ink.colour().to_backend_color();
    TextStyle { color: colour, ..TextStyle::from(("sans-serif", LETTERS).into_font()) }
}

impl Canvas<'_, '_> {
    /// A line through points.
    pub(super) fn line(&mut self, ink: Ink, points: impl IntoIterator<Item = (f64, f64)>) -> Drawn {
        let style = ink.colour().stroke_width(LINE);
        self.chart.draw_series(LineSeries::new(points, style))?;
        Ok(())
    }

    /// The area between two courses, each a height for each of `times`.
    pub(super) fn area(&mut self, ink: Ink, times: &[f64], low: &[f64], high: &[f64]) -> Drawn {
        let above = times.iter().copied().zip(high.iter().copied());
        let below = times.iter().copied().zip(low.iter().copied());
        let mut points: Vec<(f64, f64)> = above.collect();
        points.extend(below.rev());
        self.chart.draw_series([Polygon::new(points, ink.colour().filled())])?;
        Ok(())
    }

    /// A bar, from one height to another.
    pub(super) fn bar(&mut self, ink: Ink, width: Range<f64>, height: Range<f64>) -> Drawn {
        let corners = [(width.start, height.end), (width.end, height.start)];
        self.chart.draw_series([Rectangle::new(corners, ink.colour().filled())])?;
        Ok(())
    }

    /// An upright line over the whole height, with a word at its upper end: behind it, or before it.
    pub(super) fn upright(&mut self, ink: Ink, at: f64, word: &str, side: HPos) -> Drawn {
        let line = vec![(at, 0.0), (at, self.height)];
        let style = ink.colour().stroke_width(LINE / 2);
        self.chart.draw_series([PathElement::new(line, style)])?;
        let shift = match side {
            HPos::Left => 6,
            HPos::Center => 0,
            HPos::Right => -6,
        };
        self.word(ink, (at, self.height), (shift, -8), word, side)
    }

    /// A word above a point.
    pub(super) fn above(&mut self, ink: Ink, at: (f64, f64), word: &str) -> Drawn {
        self.word(ink, at, (0, -6), word, HPos::Center)
    }

    fn word(
        &mut self,
        ink: Ink,
        at: (f64, f64),
        shift: (i32, i32),
        word: &str,
        side: HPos,
    ) -> Drawn {
        let style = letters(ink).pos(Pos::new(side, VPos::Bottom));
        let text = Text::new(word.to_owned(), shift, style);
        self.chart.draw_series([EmptyElement::at(at) + text])?;
        Ok(())
    }

    /// When something of the timeline happened, as far as it is in the picture; what is close together has one label.
    pub(super) fn marks(&mut self, marks: &[Mark], end: f64) -> Drawn {
        for (at, label) in Mark::together(marks, end) {
            self.upright(Ink::Mark, at, &label, HPos::Center)?;
        }
        Ok(())
    }
}
