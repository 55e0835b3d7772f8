// SPDX-License-Identifier: Apache-2.0
#include "persistence/store.hpp"

#include "actors/platforms/github.hpp"
#include "bench/engine.hpp"
#include "bench/parts.hpp"
#include "bench/webhooks.hpp"

#include <fmt/format.h>

namespace eventweft::bench {

namespace {

/// Events as a webhook with this body brings them.
class event_source {
 public:
  explicit event_source(const setting& s)
      : examples_(load_examples(s.examples)) {
    config::platform_settings settings;
    settings.secrets = {std::string{webhook_secret}};
    github_ = platforms::make_github({settings, clock_, random_}).value();
  }

  event_ptr make(uint64_t n) const {
    const auto& example = examples_[n % examples_.size()];
    webhook w;
    w.platform = "github";
    w.method = "POST";
    w.headers = {{"content-type", "application/json"},
                 {"x-github-event", example.event},
                 {"x-github-delivery", "delivery-" + std::to_string(n)},
                 {"x-hub-signature-256", example.signature}};
    w.body = shared_text{example.body};
    auto a = github_->accept(w);
    if (!a)
      throw bench_error(a.error().message);
    return event_ptr{std::move(a->events.front())};
  }

 private:
  std::vector<webhook_example> examples_;
  system_clock clock_;
  system_random random_;
  platforms::platform_ptr github_;
};

/// Seconds to append all, `batch` events a transaction.
double append_all(const std::string& url, const std::vector<event_ptr>& events,
                  size_t batch) {
  const auto store = open_store({.url = url}).value();
  const auto session = store->open_session();
  if (!session->head())
    throw bench_error("the store does not answer");
  const std::span all{events};
  const auto start = now_ns();
  for (size_t begin = 0; begin < all.size(); begin += batch) {
    const auto piece = all.subspan(begin, std::min(batch, all.size() - begin));
    const auto results = session->append(piece);
    if (!results)
      throw bench_error(results.error().message);
    for (const auto& r : *results)
      if (r.refused || r.outcome.duplicate)
        throw bench_error("an example is not stored");
  }
  return seconds_between(start, now_ns());
}

} // namespace

void measure_store(const setting& s, report& out) {
  const event_source source{s};
  std::vector<event_ptr> events;
  for (uint64_t n = 0; n < s.scaled(20'000, 4'000); ++n)
    events.push_back(source.make(n));
  const auto count = static_cast<double>(events.size());
  for (const auto& e : all_engines(s)) {
    std::unique_ptr<row_set> rows;
    for (const size_t batch : {size_t{32}, size_t{64}, size_t{500}}) {
      const auto url = e->fresh();
      e->settle();
      const auto seconds = append_all(url, events, batch);
      if (!rows)
        rows = e->capture(url);
      e->drop(url);
      e->settle();
      out.rate("store",
               fmt::format("{}, {} events an append", e->name(), batch),
               count / seconds, "events/s", std::string{e->load_name()},
               count / e->load(*rows, {}));
    }
  }
}

} // namespace eventweft::bench
