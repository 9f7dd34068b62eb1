//! Threads that help with pieces of work which do not depend on each other. The core has none: the caller owns threads.

use std::io;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::vec::IntoIter;

use dsp_core::analysis::describe::Workspace;

/// A piece of work.
pub(crate) trait Piece: Send + 'static {
    fn run(&mut self, workspace: &mut Workspace);
}

/// What is left to do, and where what is done goes.
struct Work<P> {
    left: Arc<Mutex<IntoIter<P>>>,
    done: Sender<P>,
}

/// Threads that wait for work. They end when this is dropped.
pub(crate) struct Helpers<P> {
    threads: Vec<Sender<Work<P>>>,
    workspace: Workspace,
}

impl<P: Piece> Helpers<P> {
    /// `n_threads`: of which the caller's own is one.
    pub(crate) fn new(n_threads: usize) -> io::Result<Self> {
        let threads = (1..n_threads).map(|_| start()).collect::<io::Result<_>>()?;
        Ok(Self {
            threads,
            workspace: Workspace::new(),
        })
    }

    /// Does all pieces, with the caller's thread among the others, and gives them back in any order. A piece is missing if a
    /// thread broke over it. A thread that is late, or that a fork left behind, is not waited for.
    pub(crate) fn run(&mut self, pieces: Vec<P>) -> Vec<P> {
        let n_pieces = pieces.len();
        let left = Arc::new(Mutex::new(pieces.into_iter()));
        let (done, finished) = channel();
        for helper in self.threads.iter().take(n_pieces.saturating_sub(1)) {
            let (left, done) = (left.clone(), done.clone());
            // One that has ended helps no more; the others do its part.
            let _ = helper.send(Work { left, done });
        }
        drop(done);
        let mut all = Vec::with_capacity(n_pieces);
        while let Some(mut piece) = next(&left) {
            piece.run(&mut self.workspace);
            all.push(piece);
        }
        while all.len() < n_pieces {
            match finished.recv() {
                Ok(piece) => all.push(piece),
                Err(_) => break,
            }
        }
        all
    }
}

fn next<P>(left: &Mutex<IntoIter<P>>) -> Option<P> {
    left.lock().unwrap_or_else(PoisonError::into_inner).next()
}

fn start<P: Piece>() -> io::Result<Sender<Work<P>>> {
    let (sender, receiver) = channel();
    let name = "dsp-core".to_owned();
    thread::Builder::new()
        .name(name)
        .spawn(move || help(&receiver))?;
    Ok(sender)
}

fn help<P: Piece>(receiver: &Receiver<Work<P>>) {
    let mut workspace = Workspace::new();
    for Work { left, done } in receiver {
        while let Some(mut piece) = next(&left) {
            piece.run(&mut workspace);
            if done.send(piece).is_err() {
                break;
            }
        }
    }
}
