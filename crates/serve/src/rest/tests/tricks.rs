//! The tricks of the gate's tests, sent by program: no canary in any byte.

use serde_json::{Value, json};

use super::house::{House, PERSONAS};
use crate::access::tests::fixture::{CANARY, NUMBER};
use crate::access::tests::tricks::{REFUSED, TRICKS, about_events};

fn is_clean(answer: &super::house::Answer, sql: &str) -> bool {
    let headers = format!("{:?}", answer.headers);
    // What the client itself wrote may come back in an error.
    let text = format!("{headers}{}", answer.text())
        .replace(sql, "")
        .to_uppercase();
    let own = sql.to_uppercase();
    let turned: String = CANARY.chars().rev().collect();
    [CANARY, NUMBER, &hex::encode(CANARY).to_uppercase(), &turned]
        .iter()
        .all(|canary| !text.contains(canary) || own.contains(canary) && answer.status != 200)
}

#[tokio::test]
async fn no_trick_shows_a_canary_to_a_program() {
    let house = House::new().await;
    let accepts = [
        "application/json",
        "text/csv",
        "application/vnd.apache.arrow.stream",
    ];
    for persona in PERSONAS {
        for (at, trick) in TRICKS.iter().enumerate() {
            let sql = about_events(trick);
            let accept = accepts[at % accepts.len()];
            let answer = house
                .sql(&sql)
                .as_(persona)
                .with("accept", accept)
                .send()
                .await;
            assert!(
                is_clean(&answer, &sql),
                "{persona}: {sql}\n{}",
                answer.text()
            );
            assert!(answer.status != 500, "{persona}: {sql}\n{}", answer.text());
        }
        assert_eq!(house.sql("select 1").as_(persona).send().await.status, 200);
    }
}

#[tokio::test]
async fn what_would_do_more_than_read_is_refused() {
    let house = House::new().await;
    for sql in REFUSED {
        for persona in ["ana", "admin"] {
            let answer = house.sql(sql).as_(persona).send().await;
            let status = answer.status.as_u16();
            assert!(
                (400..500).contains(&status),
                "{persona}: {sql}: {}",
                answer.text()
            );
        }
    }
}

#[tokio::test]
async fn a_parameter_is_a_value_and_nothing_else() {
    let house = House::new().await;
    let count = |parameter: Value| {
        let sql = "select count(*) as n from marts.events where country = $1";
        let body = json!({"statement": sql, "parameters": [parameter]});
        house.post("/api/v1/sql", &body).as_("ana")
    };
    let of = |answer: &super::house::Answer| answer.rows()[0]["n"].clone();
    assert_eq!(of(&count(json!("DE")).send().await), 20);
    assert_eq!(of(&count(json!("US")).send().await), 0);
    assert_eq!(of(&count(json!("US' OR '1'='1")).send().await), 0);
    assert_eq!(of(&count(json!(null)).send().await), 0);
    let masked = json!({
        "statement": "select count(*) as n from marts.events where email = $1",
        "parameters": ["anna0@CNRY.example"],
    });
    assert_eq!(
        of(&house.post("/api/v1/sql", &masked).as_("ana").send().await),
        0
    );
}

#[tokio::test]
async fn filters_see_what_the_caller_sees() {
    let house = House::new().await;
    for query in [
        "email=anna0@CNRY.example",
        "email[contains]=CNRY",
        "tenant[starts_with]=CNRY",
        "country=US",
        "phone[is_null]=false",
    ] {
        let path = format!("/api/v1/tables/marts/events/rows?fields=event_id,country&{query}");
        let answer = house.get(&path).as_("ana").send().await;
        assert_eq!(answer.rows().len(), 0, "{query}: {}", answer.text());
    }
    let cursor = house.get("/api/v1/tables/marts/events/rows?limit=1&sort=-email,tenant");
    assert!(is_clean(&cursor.as_("ana").send().await, ""));
}
