//! One training step of masked pre-training, timed over many: valid frames a second, and the
//! losses.
//!
//! What is trained, on which data, and what is printed: benches/README.md, "The data of the
//! training step".

use backbone::{Layout, Precision, Source};
use clap::Parser;
use serde_json::json;
use ssl_mask::ReconstructionLoss;
use std::error::Error;
use std::path::PathBuf;
use std::time::Instant;
use study_benches::{StepBatch, StepData, emit, peak_memory_mib, skip};
use tch::{Device, Kind, Tensor};
use torch_ext::{AdamW, keep_memory, open_device, seed_generators};
use train::{MaskedBatch, Reconstruction, optimiser, update};

/// Times the training step.
#[derive(Parser)]
struct Arguments {
    /// The file of step_data.
    #[arg(long)]
    data: PathBuf,
    /// Steps that are timed.
    #[arg(long)]
    steps: usize,
    /// Steps before them.
    #[arg(long, default_value_t = 2)]
    warmup: usize,
    /// Threads.
    #[arg(long, default_value_t = 1)]
    threads: i32,
    /// Dropout, in attention too.
    #[arg(long)]
    dropout: f64,
    /// Precision of the layers' products: fp32 or bf16.
    #[arg(long, value_parser = ["fp32", "bf16"], default_value = "fp32")]
    precision: String,
    /// cpu, cuda or cuda:INDEX.
    #[arg(long, default_value = "cpu")]
    device: String,
    /// Only run the encoder forward, without gradients, as on the validation split.
    #[arg(long)]
    forward: bool,
    /// Leave freed memory to the C library's own rule.
    #[arg(long)]
    return_memory: bool,
}

struct Training {
    model: Reconstruction,
    optimiser: AdamW,
    learning_rates: Vec<f64>,
    device: Device,
    columns: usize,
}

fn main() -> Result<(), Box<dyn Error>> {
    let a = Arguments::parse();
    let device = match open_device(&a.device) {
        Ok(device) => device,
        Err(reason) => {
            skip("rate", &reason.to_string());
            skip("loss", &reason.to_string());
            return Ok(());
        }
    };
    if !a.return_memory {
        keep_memory();
    }
    tch::set_num_threads(a.threads);
    let mut data = StepData::read(&a.data)?;
    // It takes no part: hidden frames are zeros here.
    let unused = Tensor::zeros([data.columns as i64], (Kind::Float, Device::Cpu));
    data.weights.insert("hidden_frame".to_string(), unused);
    let mut training = Training::new(&a, &data, device)?;
    let (mut losses, mut seconds, mut frames) = (Vec::new(), 0.0, 0);
    for step in 0..a.warmup + a.steps {
        let batch = data.batch(step);
        let began = Instant::now();
        seed_generators(step as i64);
        // Reading the loss waits for the device.
        losses.push(if a.forward {
            tch::no_grad(|| training.validate(batch))?
        } else {
            training.step(batch)?
        });
        if step >= a.warmup {
            seconds += began.elapsed().as_secs_f64();
            frames += batch.hidden_n.len();
        }
    }
    let last = &losses[losses.len().saturating_sub(20)..];
    let more = json!({"threads": a.threads, "dropout": a.dropout, "precision": a.precision, "device": a.device,
        "steps": a.steps, "processor": torch_ext::Processor::best().name()});
    emit("rate", frames as f64 / seconds, "valid frames/s", more);
    emit(
        "time",
        seconds / a.steps.max(1) as f64,
        "s",
        json!({"frames": frames / a.steps.max(1)}),
    );
    emit(
        "loss",
        last.iter().sum::<f64>() / last.len() as f64,
        "smooth L1",
        json!({"losses": losses}),
    );
    if let Some(mib) = peak_memory_mib() {
        emit("peak memory", mib, "MiB", json!({}));
    }
    Ok(())
}

impl Training {
    fn new(a: &Arguments, data: &StepData, device: Device) -> Result<Self, Box<dyn Error>> {
        let mut config = data.encoder.clone();
        config.dropout = a.dropout;
        config.precision = if a.precision == "bf16" {
            Precision::Bf16
        } else {
            Precision::Fp32
        };
        let mut source = Source::tensors(&data.weights);
        let model =
            Reconstruction::new(&config, data.columns, data.max_frames, &mut source, device)?;
        let parameters = model.parameters().into_iter().map(|(_, t)| t).collect();
        let optimiser = optimiser(parameters, 0.01);
        let learning_rates = vec![1e-3; optimiser.parameters().len()];
        Ok(Training {
            model,
            optimiser,
            learning_rates,
            device,
            columns: data.columns,
        })
    }

    fn loss(&self, batch: &StepBatch, train: bool) -> Result<Tensor, Box<dyn Error>> {
        let mut x = batch.frames_nc.clone();
        let (mut rows, mut target) = (Vec::new(), Vec::new());
        for (row, _) in batch
            .hidden_n
            .iter()
            .enumerate()
            .filter(|(_, hidden)| **hidden)
        {
            let frame = &mut x[row * self.columns..(row + 1) * self.columns];
            rows.push(row as i64);
            target.extend_from_slice(frame);
            frame.fill(0.0);
        }
        let mut offsets = vec![0];
        offsets.extend(batch.lengths.iter().scan(0, |end, &length| {
            *end += length as i64;
            Some(*end)
        }));
        let matrix = |values: &[f32]| -> Result<Tensor, tch::TchError> {
            Tensor::f_from_slice(values)?
                .f_reshape([-1, self.columns as i64])?
                .f_to_device(self.device)
        };
        let batch = MaskedBatch {
            x_nc: matrix(&x)?,
            learned_n1: None,
            hidden_rows_k: Tensor::f_from_slice(&rows)?.f_to_device(self.device)?,
            target_kc: matrix(&target)?,
            layout: Layout::new(&offsets, self.device)?,
        };
        Ok(self
            .model
            .loss(&batch, ReconstructionLoss::SmoothL1, train)?)
    }

    fn validate(&self, batch: &StepBatch) -> Result<f64, Box<dyn Error>> {
        Ok(f64::try_from(&self.loss(batch, false)?)?)
    }

    fn step(&mut self, batch: &StepBatch) -> Result<f64, Box<dyn Error>> {
        let loss = self.loss(batch, true)?;
        Ok(update(&mut self.optimiser, &loss, 1.0, &self.learning_rates)?.loss)
    }
}
