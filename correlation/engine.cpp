// SPDX-License-Identifier: Apache-2.0
#include "correlation/engine.hpp"

#include "correlation/joiner.hpp"
#include "correlation/rules/builtin.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <exception>

namespace eventweft::correlation {

namespace {

// To be raised when a built-in rule reads other keys than before.
constexpr int builtin_version = 3;

struct kept_rule {
  kept_rule(rule_ptr r, uint32_t limit) : it(std::move(r)), health(limit) {}
  rule_ptr it;
  mutable rule_health health;
};

// Empty if it went well.
std::string run(const rule& r, const rule_input& in,
                std::vector<correlation_key>& out) {
  const size_t before = out.size();
  std::string what;
  try {
    claims collected{in, r.name(), out};
    r.apply(in, collected);
    collected.finish();
    return {};
  } catch (const std::exception& e) {
    what = e.what();
  } catch (...) {
    what = "something that is no std::exception";
  }
  out.resize(before);
  return what.empty() ? "an exception without a text" : what;
}

bool stronger(const correlation_key& a, const correlation_key& b) noexcept {
  if (a.is_identity() != b.is_identity())
    return a.is_identity();
  if (a.confidence != b.confidence)
    return a.confidence > b.confidence;
  return !a.from_text && b.from_text;
}

void keep_strongest(std::vector<correlation_key>& keys, size_t limit) {
  std::vector<correlation_key> kept;
  kept.reserve(keys.size());
  for (auto& key : keys) {
    auto same = std::find_if(kept.begin(), kept.end(), [&](const auto& k) {
      return k.key == key.key && k.is_fact() == key.is_fact();
    });
    if (same == kept.end())
      kept.push_back(std::move(key));
    else if (stronger(key, *same))
      *same = std::move(key);
  }
  if (kept.size() > limit) {
    std::stable_sort(kept.begin(), kept.end(), stronger);
    kept.resize(limit);
  }
  keys = std::move(kept);
}

} // namespace

struct engine::state {
  std::shared_ptr<vocabulary> known;
  engine_options options;
  std::deque<kept_rule> rules;

  rule_input input(const event& ev,
                   const simdjson::dom::element* payload) const {
    rule_input in{.ev = ev,
                  .payload = {},
                  .known = *known,
                  .threshold = options.threshold,
                  .max_mentions = options.max_mentions,
                  .branch_window = options.branch_window};
    if (payload && payload->is_object())
      in.payload = *payload;
    return in;
  }
};

engine::engine(std::shared_ptr<vocabulary> known, engine_options options)
    : state_(std::make_unique<state>()) {
  state_->known = std::move(known);
  state_->options = std::move(options);
  for (auto& r : builtin_rules())
    state_->rules.emplace_back(std::move(r), state_->options.max_failures);
}

engine::~engine() = default;
engine::engine(engine&&) noexcept = default;
engine& engine::operator=(engine&&) noexcept = default;

expected<void> engine::add(rule_ptr r) {
  for (const auto& e : state_->rules)
    if (e.it->name() == r->name())
      return fail(ec::conflict, "there is already a correlation rule \"" +
                                    std::string{r->name()} + "\"");
  state_->rules.emplace_back(std::move(r), state_->options.max_failures);
  return {};
}

std::vector<correlation_key>
engine::keys(const event& ev, const simdjson::dom::element* payload) const {
  std::vector<correlation_key> out;
  const auto in = state_->input(ev, payload);
  size_t used = 0;
  for (const auto& e : state_->rules) {
    if (!e.health.enabled() || !e.it->wants(ev))
      continue;
    const auto what = run(*e.it, in, out);
    if (what.empty()) {
      e.health.succeeded();
      ++used;
      continue;
    }
    const bool disabled = e.health.failed();
    if (state_->options.on_failure)
      state_->options.on_failure(e.it->name(), what, disabled);
  }
  if (used > 1 || out.size() > state_->options.max_keys)
    keep_strongest(out, state_->options.max_keys);
  return out;
}

std::vector<correlation_key> engine::keys(const event& ev,
                                          codec::payload_reader& reader) const {
  const auto root = reader.parse(ev.payload);
  return keys(ev, root ? &*root : nullptr);
}

std::vector<correlation_key>
engine::keys_of_late(const event& ev, codec::payload_reader& reader) const {
  auto out = keys(ev, reader);
  out.push_back(own_id_key(ev.id));
  return out;
}

std::vector<rule_report> engine::explain(const event& ev,
                                         codec::payload_reader& reader) const {
  const auto root = reader.parse(ev.payload.view());
  const auto in = state_->input(ev, root ? &*root : nullptr);
  std::vector<rule_report> reports;
  for (const auto& e : state_->rules) {
    auto& report = reports.emplace_back();
    report.rule = e.it->name();
    report.disabled = !e.health.enabled();
    report.applied = e.it->wants(ev);
    if (report.applied)
      report.error = run(*e.it, in, report.keys);
  }
  return reports;
}

std::vector<rule_state> engine::rules() const {
  std::vector<rule_state> out;
  for (const auto& e : state_->rules)
    out.push_back({std::string{e.it->name()}, e.health.enabled(),
                   e.health.applied(), e.health.failures()});
  return out;
}

std::string engine::fingerprint() const {
  const auto& o = state_->options;
  auto text = fmt::format("{} {} {} {} {}", builtin_version, o.threshold,
                          o.max_mentions, o.max_keys, o.branch_window);
  for (const auto& e : state_->rules)
    text.append(1, '\0').append(e.it->fingerprint());
  // FNV-1a: it tells rules apart and proves nothing.
  uint64_t hash = 0xcbf29ce484222325;
  for (const char c : text)
    hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  return fmt::format("{:016x}", hash);
}

const std::shared_ptr<vocabulary>& engine::known() const noexcept {
  return state_->known;
}

const engine_options& engine::options() const noexcept {
  return state_->options;
}

} // namespace eventweft::correlation
