mod look;
mod tell;
