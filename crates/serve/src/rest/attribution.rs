//! `/attribution`: models, what the fitted ones learnt, and the credit that touches got.

use axum::response::Response;

use super::ask::Ask;
use super::endpoint::Endpoint;
use super::page::{self, Of};
use super::problem::Problem;
use super::tables::{RowsPage, example};

pub(super) fn endpoints() -> Vec<Endpoint> {
    let page = |endpoint: Endpoint| {
        endpoint
            .tag("attribution")
            .takes(&page::PARAMS)
            .takes_conditions()
            .gives_rows::<RowsPage>("The rows.", example())
    };
    vec![
        page(Endpoint::get("/api/v1/attribution/models", models).says(
            "listAttributionModels",
            "Models of attribution",
            "The models that this project has (`star.dim_attribution_model`).",
        )),
        page(Endpoint::get("/api/v1/attribution/fits", fits).says(
            "listAttributionFits",
            "What fitted models learnt",
            "Every fit of a closed period, as it was frozen (`star.attribution_fit_log`).",
        )),
        page(Endpoint::get("/api/v1/attribution/credit", credit).says(
            "listAttributionCredit",
            "Credit of touches",
            "What each touch was credited with for each conversion, by each model \
             (`star.fct_attribution_credit`). Ask for few: `model=position`, \
             `conversion_date[gte]=2026-06-01`.",
        )),
    ]
}

async fn models(ask: Ask) -> Result<Response, Problem> {
    let of = Of::table("star", "dim_attribution_model");
    page::page(&ask, of.ordered("sort_order")).await
}

async fn fits(ask: Ask) -> Result<Response, Problem> {
    let of = Of::table("star", "attribution_fit_log");
    page::page(&ask, of.ordered("-period_start,model")).await
}

async fn credit(ask: Ask) -> Result<Response, Problem> {
    page::page(&ask, Of::table("star", "fct_attribution_credit")).await
}
