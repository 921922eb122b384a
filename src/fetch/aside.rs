//! A thread beside the one that talks to the server. That one is confined, and does what foreign octets
//! may have talked it into; this one may start programs and open files, is asked for one thing after
//! another, and sees nothing of a server.

use super::Error;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

/// The way to it: questions there, an answer to each back. With this value it ends, once it has done what it
/// was asked for: a message that is being appended to a file is not left half there.
pub(super) struct Aside<Q, A> {
    questions: Option<Sender<Q>>,
    answers: Receiver<A>,
    thread: Option<JoinHandle<()>>,
}

impl<Q: Send + 'static, A: Send + 'static> Aside<Q, A> {
    /// Starts it. Call this where programs may be started: a thread has no more than who starts it.
    ///
    /// # Errors
    /// [`Error::NoThread`].
    pub(super) fn start(mut work: impl FnMut(Q) -> A + Send + 'static) -> Result<Self, Error> {
        let (questions, asked) = channel();
        let (answers, answered) = channel();
        let run = move || {
            for question in asked {
                // Who has stopped waiting wants no answer.
                let _ = answers.send(work(question));
            }
        };
        let thread = Builder::new().spawn(run).map_err(Error::NoThread)?;
        Ok(Self {
            questions: Some(questions),
            answers: answered,
            thread: Some(thread),
        })
    }

    /// Asks for something. What came of the one before must have been asked for.
    ///
    /// # Errors
    /// [`Error::Thread`] where it has ended early, here and below.
    pub(super) fn ask(&self, question: Q) -> Result<(), Error> {
        let questions = self.questions.as_ref().ok_or(Error::Thread)?;
        questions.send(question).map_err(|_| Error::Thread)
    }

    /// What came of it; `None` where that is not known within this time.
    pub(super) fn answer_within(&self, limit: Duration) -> Result<Option<A>, Error> {
        match self.answers.recv_timeout(limit) {
            Ok(answer) => Ok(Some(answer)),
            Err(RecvTimeoutError::Timeout) => Ok(None),
            Err(RecvTimeoutError::Disconnected) => Err(Error::Thread),
        }
    }

    /// What came of it, however long that takes.
    pub(super) fn answer(&self) -> Result<A, Error> {
        self.answers.recv().map_err(|_| Error::Thread)
    }
}

impl<Q, A> Drop for Aside<Q, A> {
    fn drop(&mut self) {
        self.questions = None;
        if let Some(thread) = self.thread.take() {
            // Its panic has been told by the thread itself.
            let _ = thread.join();
        }
    }
}
