-- The events of the new files: bad ones to quarantine, repeated ones out, the rest beside the old.
insert into quarantine_event from batch_event where rule is not null;
delete from batch_event where rule is not null;
delete from batch_event where rowid in (
    select rowid from batch_event
    qualify row_number() over (partition by event_hash order by rowid) > 1
);
delete from batch_event where event_hash in (
    select event_hash from web_event
    where event_at >= (select min(event_at) from batch_event)
);
insert into web_event from batch_event
