//! The one thread that appends: what waits is written and synced together.

use std::fs::{File, OpenOptions};
use std::io::{Seek as _, SeekFrom, Write as _};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use super::chain::{self, Head};
use super::files::{self, FILE_BYTES_MAX, Segment, failed};
use super::{Action, AuditError, Event, Outcome, Place};
use crate::access::who::Clock;

type Answer = oneshot::Sender<Result<u64, AuditError>>;
type Message = (Event, Answer);

/// At least so often is the anchor written while there is something to note.
const ANCHOR_EVERY: Duration = Duration::from_secs(60);

/// Most events that are written together.
const BATCH_MAX: usize = 1024;

/// Leads to the thread; when the last goes, the thread ends what it has and ends.
#[derive(Debug)]
pub(super) struct Handle {
    sender: Option<Sender<Message>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Handle {
    pub(super) fn start(place: Place, clock: Clock) -> Result<Self, AuditError> {
        let folder = place.folder.clone();
        let mut writer = Writer::open(place, clock)?;
        let (sender, receiver) = channel();
        let thread = std::thread::Builder::new()
            .name("audit".to_owned())
            .spawn(move || writer.run(&receiver));
        let thread = thread.map_err(|error| failed(&folder, &error))?;
        Ok(Self {
            sender: Some(sender),
            thread: Mutex::new(Some(thread)),
        })
    }

    pub(super) fn send(&self, event: Event, answer: Answer) {
        // If the thread is gone, the answer goes with it, and its receiver sees that.
        if let Some(sender) = &self.sender {
            let _ = sender.send((event, answer));
        }
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.sender = None;
        let thread = self
            .thread
            .get_mut()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(thread) = thread.take() {
            let _ = thread.join();
        }
    }
}

struct Writer {
    place: Place,
    clock: Clock,
    /// The file that is continued.
    open: Option<(Segment, File)>,
    last: Head,
    /// A failed sync is never tried again: what the disk holds is not known.
    is_poisoned: bool,
    anchored: Option<(Instant, u64)>,
}

impl Writer {
    fn open(place: Place, clock: Clock) -> Result<Self, AuditError> {
        files::make_folder(&place.folder)?;
        let mut writer = Self {
            place,
            clock,
            open: None,
            last: Head::empty(),
            is_poisoned: false,
            anchored: None,
        };
        let lock = files::lock(&writer.place.folder)?;
        writer.catch_up()?;
        drop(lock);
        Ok(writer)
    }

    fn run(&mut self, receiver: &Receiver<Message>) {
        loop {
            let first = match self.anchor_due() {
                None => receiver.recv().map_err(|_| RecvTimeoutError::Disconnected),
                Some(wait) => receiver.recv_timeout(wait),
            };
            match first {
                Ok(first) => {
                    let more = receiver.try_iter().take(BATCH_MAX - 1);
                    let batch: Vec<Message> = std::iter::once(first).chain(more).collect();
                    self.answer(batch);
                }
                Err(RecvTimeoutError::Timeout) => self.anchor(),
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        self.anchor();
    }

    fn answer(&mut self, batch: Vec<Message>) {
        let (events, answers): (Vec<Event>, Vec<Answer>) = batch.into_iter().unzip();
        let written = self.append(&events);
        if written.is_ok() && self.anchor_due() == Some(Duration::ZERO) {
            self.anchor();
        }
        if let Err(error) = &written {
            // Some of these nobody waits for.
            log::error!("{} events are not in the audit log: {error}", events.len());
        }
        for (index, answer) in answers.into_iter().enumerate() {
            let result = match &written {
                Ok(first) => Ok(first + index as u64),
                Err(error) => Err(error.clone()),
            };
            // Whoever asked may have gone; the record stays.
            let _ = answer.send(result);
        }
    }

    /// Writes and syncs these; gives the sequence of the first.
    fn append(&mut self, events: &[Event]) -> Result<u64, AuditError> {
        if self.is_poisoned {
            return Err(AuditError::Poisoned);
        }
        let _lock = files::lock(&self.place.folder)?;
        self.catch_up()?;
        let first = self.last.seq + 1;
        self.write(events)?;
        Ok(first)
    }

    /// Writes lines at the end of the log. The lock is held.
    fn write(&mut self, events: &[Event]) -> Result<(), AuditError> {
        let (mut text, mut head) = (String::new(), self.last.clone());
        for event in events {
            let (line, next) = chain::seal(event, &head, (self.clock)(), &self.place.key);
            text.push_str(&line);
            text.push('\n');
            head = next;
        }
        let (segment, mut file) = self.file()?;
        let path = segment.path.clone();
        if let Err(error) = file.write_all(text.as_bytes()) {
            // The disk may be full: what was written of it goes again.
            let cut = file
                .set_len(segment.bytes)
                .and_then(|()| file.seek(SeekFrom::End(0)));
            self.is_poisoned = cut.is_err();
            self.open = None;
            return Err(failed(&path, &error));
        }
        if let Err(error) = file.sync_data() {
            self.is_poisoned = true;
            return Err(failed(&path, &error));
        }
        let bytes = segment.bytes + text.len() as u64;
        self.open = Some((Segment { bytes, ..segment }, file));
        self.last = head;
        files::write_head(&self.place.folder, &self.last)
    }

    /// The file to write to: the one that is open, or a new one.
    fn file(&mut self) -> Result<(Segment, File), AuditError> {
        if let Some((segment, file)) = self.open.take()
            && segment.bytes < FILE_BYTES_MAX
        {
            return Ok((segment, file));
        }
        let first = self.last.seq + 1;
        let path = files::path_of(&self.place.folder, first);
        let make = || -> std::io::Result<File> {
            let mut options = OpenOptions::new();
            let file = files::private(options.create_new(true).append(true)).open(&path)?;
            // Its name has to outlast a power cut too.
            File::open(&self.place.folder)?.sync_all()?;
            Ok(file)
        };
        let file = make().map_err(|error| failed(&path, &error))?;
        Ok((
            Segment {
                path,
                first,
                bytes: 0,
            },
            file,
        ))
    }

    /// Sees what other processes have appended, and mends what a killed one left. The lock is held.
    fn catch_up(&mut self) -> Result<(), AuditError> {
        if let Some((segment, file)) = &self.open {
            let next = files::path_of(&self.place.folder, self.last.seq + 1);
            let about = file
                .metadata()
                .map_err(|error| failed(&segment.path, &error))?;
            if about.len() == segment.bytes && segment.path.exists() && !next.exists() {
                return Ok(());
            }
        }
        self.open = None;
        let tail = files::tail(&self.place.folder, &self.place.key)?;
        let said = std::fs::read(self.place.folder.join(files::HEAD)).ok();
        let head = said.and_then(|line| Head::parse(&line, &self.place.key));
        if tail.last.seq < self.last.seq {
            let why = format!("the records after {} are gone", tail.last.seq);
            return Err(files::broken(&self.place.folder, &why));
        }
        self.compare(head.as_ref(), &tail.last)?;
        if let Some(segment) = tail.file {
            let mut options = OpenOptions::new();
            let file = options.append(true).open(&segment.path);
            let file = file.map_err(|error| failed(&segment.path, &error))?;
            let bytes = segment.bytes - tail.torn;
            if tail.torn > 0 {
                let cut = file.set_len(bytes).and_then(|()| file.sync_all());
                cut.map_err(|error| failed(&segment.path, &error))?;
            }
            self.open = Some((Segment { bytes, ..segment }, file));
        }
        let head_is_lost = head.is_none() && tail.last.seq > 0;
        self.last = tail.last;
        if tail.torn > 0 {
            let event = Event::new("-", "log", Action::Log, Outcome::Done);
            let event = event.to("torn line cut off").with("bytes", tail.torn);
            self.write(&[event])?;
        }
        if head_is_lost {
            let event = Event::new("-", "log", Action::Log, Outcome::Failed);
            self.write(&[event.to("the note of the newest record was lost")])?;
        }
        Ok(())
    }

    /// The note of the newest record is written after it: what it names must be there.
    fn compare(&self, head: Option<&Head>, last: &Head) -> Result<(), AuditError> {
        let Some(head) = head else { return Ok(()) };
        let folder = &self.place.folder;
        if head.seq > last.seq {
            let why = format!(
                "the records after {} are missing, up to {}",
                last.seq, head.seq
            );
            return Err(files::broken(folder, &why));
        }
        if head.seq == last.seq && head.hash != last.hash {
            let why = format!("record {} is not the one that was written", head.seq);
            return Err(files::broken(folder, &why));
        }
        Ok(())
    }

    /// How long until the anchor must be written; none if there is nothing new to note in it.
    fn anchor_due(&self) -> Option<Duration> {
        self.place.anchor.as_ref()?;
        match self.anchored {
            None => (self.last.seq > 0).then_some(Duration::ZERO),
            Some((_, seq)) if seq == self.last.seq => None,
            Some((at, _)) => Some(ANCHOR_EVERY.saturating_sub(at.elapsed())),
        }
    }

    fn anchor(&mut self) {
        let Some(path) = &self.place.anchor else {
            return;
        };
        if self.anchored.is_some_and(|(_, seq)| seq == self.last.seq) || self.last.seq == 0 {
            return;
        }
        // The log itself is whole: that the other place is away must not stop the doors.
        match files::write_anchor(path, &self.last) {
            Ok(()) => {}
            Err(error) => log::warn!("the anchor of the audit log cannot be written: {error}"),
        }
        self.anchored = Some((Instant::now(), self.last.seq));
    }
}
