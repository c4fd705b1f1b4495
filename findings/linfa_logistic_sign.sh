#!/usr/bin/env bash
# linfa-logistic (Rust): the sign of a fitted model's coefficients depends on which class has more rows.
# The more frequent class is the positive one, and of two alike the class of the first row; true and false are not special.
# So one row more turns the signs of all coefficients, and equal classes turn them with the order of the rows:
# whoever reads or compares coefficients has to ask labels().pos first.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
mkdir "$folder/src"
cat > "$folder/Cargo.toml" <<'TOML'
[package]
name = "sign"
version = "0.0.0"
edition = "2021"

[dependencies]
linfa = "=0.8.1"
linfa-logistic = "=0.8.1"
ndarray = "=0.16.1"
TOML
cat > "$folder/src/main.rs" <<'RUST'
use linfa::prelude::*;
use linfa_logistic::LogisticRegression;
use ndarray::{Array1, Array2};

/// The coefficient of x in a model of x > 0, and the class that it speaks for.
fn fit(x: &[f64]) -> (f64, bool) {
    let y: Array1<bool> = x.iter().map(|x| *x > 0.0).collect();
    let x = Array2::from_shape_vec((x.len(), 1), x.to_vec()).unwrap();
    let model = LogisticRegression::default().fit(&Dataset::new(x, y)).unwrap();
    (model.params()[0], model.labels().pos.class)
}

fn main() {
    let mut as_stated = true;
    for (rows, positive) in [
        (vec![-2.0, -1.0, 1.0, 2.0, 3.0], true),
        (vec![-3.0, -2.0, -1.0, 1.0, 2.0], false),
        (vec![1.0, 2.0, -1.0, -2.0], true),
        (vec![-1.0, -2.0, 1.0, 2.0], false),
    ] {
        let (coefficient, class) = fit(&rows);
        println!("x {rows:?}, y = x > 0: coefficient {coefficient:+.3}, of class {class}");
        as_stated &= class == positive && (coefficient > 0.0) == positive;
    }
    std::process::exit(i32::from(!as_stated));
}
RUST
export CARGO_HOME="$folder/cargo"
cargo build --quiet --manifest-path "$folder/Cargo.toml" --target-dir "$folder/target"
echo "linfa-logistic 0.8.1"
if "$folder/target/debug/sign"; then
  echo "as stated: the same rule has a positive or a negative coefficient, by which class has more rows or comes first"
else
  echo "changed: the sign of the coefficients no longer follows the more frequent class" >&2
  exit 1
fi
