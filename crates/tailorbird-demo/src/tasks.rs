//! The two task files of the demo: the ones of the documentation, with the addresses of this sandbox.

use std::path::{Path, PathBuf};

use tailorbird_app::AppError;
use tailorbird_model::{Failure, Meaning, codes};

/// The task that posts new products.
pub(crate) const ANNOUNCE: &str = "announce-new-products";
/// The task that brings mentions and metrics in.
pub(crate) const COLLECT: &str = "collect-marketing-data";

const TEXT: &str = r#"# The demo's tasks. Change them and take them in again:
#   tailorbird --home HOME task apply tasks.yaml
task: announce-new-products
description: Post each newly published product of the ERP once, and write the post's id and address back.
trigger: { schedule: "*/5 * * * *", timezone: Europe/London }
steps:
  - id: products
    query:
      database: erp
      sql: |
        select p.sku, p.name, p.price, p.currency, p.category
        from products p
        left join product_posts d on d.sku = p.sku
        where p.published = 1 and p.published_on >= '2026-11-16' and d.sku is null
        order by p.published_on, p.sku
  - id: post
    call:
      connection: company-x
      operation: create_post
      for_each: products
      key: "product-{{ sku }}"          # delivered once per key, whatever happens
      when: "{{ price is gt(0) }}"
      with:
        text: "New in stock: {{ name }} at {{ price | money(currency) }} ({{ category | lower }}, {{ sku }})"
  - id: write-back
    write:
      database: erp
      table: product_posts
      from: post                        # delivered records: input columns, `result`, `delivered_at`
      key: [sku]
      columns:
        sku: "{{ sku }}"
        post_id: "{{ result.id }}"
        post_url: "@PORTAL@/timeline#post-{{ result.id }}"
        posted_at: "{{ delivered_at }}"
---
task: collect-marketing-data
description: Bring mentions and the own posts' public metrics into the CRM.
trigger: { schedule: "*/15 * * * *" }
steps:
  - id: mentions
    call: { connection: company-x, operation: list_mentions, pages: all, cursor: { result: id, parameter: since_id } }
  - id: store-mentions
    write:
      database: crm
      table: mentions
      from: mentions
      key: [id]
      columns: { id: "{{ id }}", author_id: "{{ author_id }}", text: "{{ text }}", created_at: "{{ created_at }}" }
  - id: own-posts
    call: { connection: company-x, operation: list_own_posts, pages: all }
  - id: store-metrics
    write:
      database: crm
      table: post_metrics
      from: own-posts
      key: [post_id]
      columns:
        post_id: "{{ id }}"
        text: "{{ text }}"
        created_at: "{{ created_at }}"
        likes: "{{ like_count }}"
        replies: "{{ reply_count }}"
        reposts: "{{ retweet_count }}"
        impressions: "{{ impression_count }}"
"#;

/// Writes the task file beside the sample databases and gives its text.
pub(crate) fn write(home: &Path, portal: &str) -> Result<(PathBuf, String), AppError> {
    let path = home.join("tasks.yaml");
    let text = TEXT.replace("@PORTAL@", portal.trim_end_matches('/'));
    std::fs::write(&path, &text).map_err(|error| {
        Failure::new(
            codes::FILE_UNREADABLE,
            Meaning::NotSent,
            format!("could not write {}: {error}", path.display()),
        )
    })?;
    Ok((path, text))
}
