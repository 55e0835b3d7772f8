// SPDX-License-Identifier: Apache-2.0
#include "correlation/rule.hpp"

#include "correlation/url_reference.hpp"
#include "messages/ascii.hpp"

#include <algorithm>
#include <cctype>
#include <iterator>
#include <map>

namespace eventweft::correlation {

namespace {

// How sure it is that what a text names is what it is about.
namespace sureness {
constexpr float certain = 1.0F;
constexpr float stated = 0.95F;
constexpr float magic_id = 0.9F;
constexpr float likely = 0.8F;
constexpr float remark = 0.6F;
constexpr float unsure = 0.5F;
constexpr float other_work = 0.4F;
constexpr float denied = 0.1F;
} // namespace sureness

bool links_bare(text_source source) noexcept {
  return source == text_source::chat || source == text_source::linear;
}

float linear_confidence(const reference& r) noexcept {
  if (r.known)
    return r.shape == reference_shape::linear_id_loose ? sureness::likely
                                                       : sureness::certain;
  if (is_magic(r.rel) && r.emphatic)
    return sureness::magic_id;
  return sureness::unsure;
}

// "Fix GPL-3 headers": an order, which names what is to be mended as often as
// an issue. "Fix ABC-12", "Fix ABC-12: …" and "Fixes ABC-12 …" name one.
bool is_order(std::string_view text, const reference& r) {
  if (r.at > text.size() || text.substr(0, r.at).find('\n') != text.npos)
    return false;
  auto before = text.substr(0, r.at);
  const auto word = before.substr(0, before.find_first_of(" (:!"));
  const auto verb = lower(word);
  constexpr std::string_view orders[] = {"fix",     "close",     "resolve",
                                         "address", "implement", "complete"};
  if (std::find(std::begin(orders), std::end(orders), verb) == std::end(orders))
    return false;
  before.remove_prefix(word.size());
  // "fix(parser)!: "
  if (before.starts_with('('))
    before.remove_prefix(std::min(before.size(), before.find(')')));
  if (before.find_first_not_of(" ):!") != before.npos)
    return false;
  auto after = text.substr(r.at + r.matched.size());
  after = after.substr(0, after.find('\n'));
  if (!after.starts_with(' '))
    return false;
  after = trim(after);
  return !after.empty() && !after.starts_with("and ") &&
         (static_cast<unsigned char>(after[0]) >= 0x80 ||
          std::isalnum(static_cast<unsigned char>(after[0])) != 0);
}

// A program's text speaks of much that is not its own.
bool said_by_program(const reference& r) noexcept {
  if (r.shape == reference_shape::sha)
    return false;
  // "Issue: https://linear.app/…"
  return is_magic(r.rel) ||
         (r.rel == relation::labelled && r.shape == reference_shape::url &&
          r.key.starts_with("linear:"));
}

// The key's kind within which mentions are counted.
std::string_view family_of(std::string_view key) noexcept {
  return key.substr(0, key.find(':'));
}

} // namespace

float confidence_of(const reference& r, text_source source) noexcept {
  if (r.rel == relation::denied)
    return sureness::denied;
  if (r.rel == relation::other_work)
    return sureness::other_work;
  const bool said = is_magic(r.rel) || r.rel == relation::labelled;
  switch (r.shape) {
  case reference_shape::linear_id:
  case reference_shape::linear_id_loose:
    return linear_confidence(r);
  case reference_shape::url:
    if (r.key.starts_with("linear:"))
      return sureness::certain;
    if (r.key.starts_with("slack:"))
      return sureness::magic_id;
    return said || links_bare(source) ? sureness::stated : sureness::remark;
  case reference_shape::full_number:
    return said || links_bare(source) ? sureness::stated : sureness::remark;
  case reference_shape::number:
    if (said)
      return sureness::stated;
    if (r.emphatic && source == text_source::commit)
      return sureness::stated;
    if (r.emphatic && source == text_source::title)
      return sureness::likely;
    return sureness::unsure;
  case reference_shape::sha:
    if (is_magic(r.rel))
      return sureness::magic_id;
    return links_bare(source) ? sureness::likely : sureness::remark;
  }
  return sureness::unsure;
}

claims::claims(const rule_input& in, std::string_view rule,
               std::vector<correlation_key>& out)
    : in_(in), rule_(rule), out_(out), first_(out.size()) {
  // nop
}

void claims::add(correlation_key key) {
  if (key.key.empty() || key.key.size() > max_key_size)
    return;
  for (size_t i = first_; i < out_.size(); ++i) {
    auto& old = out_[i];
    if (old.key != key.key || old.is_fact() != key.is_fact())
      continue;
    const bool stronger =
        !old.is_identity() &&
        (key.is_identity() || key.confidence > old.confidence ||
         (key.confidence == old.confidence && !key.needs.empty() &&
          old.needs.empty() && key.confidence < in_.threshold));
    if (stronger)
      old = std::move(key);
    return;
  }
  out_.push_back(std::move(key));
}

void claims::identity(std::string key, std::string_view field,
                      std::string_view matched) {
  add({.key = std::move(key),
       .type = {subject_, correlation_noun::none},
       .confidence = sureness::certain,
       .needs = {},
       .rule = std::string{rule_},
       .field = std::string{field},
       .matched = std::string{matched}});
}

void claims::link(std::string key, correlation_noun to, float confidence,
                  std::string_view field, std::string_view matched,
                  uint32_t window) {
  add({.key = std::move(key),
       .type = {subject_, to},
       .confidence = confidence,
       .needs = {},
       .rule = std::string{rule_},
       .field = std::string{field},
       .matched = std::string{matched},
       .window = window});
}

void claims::unresolved(std::string key, correlation_noun to, std::string needs,
                        std::string_view field, std::string_view matched) {
  add({.key = std::move(key),
       .type = {subject_, to},
       .confidence = sureness::unsure,
       .needs = std::move(needs),
       .rule = std::string{rule_},
       .field = std::string{field},
       .matched = std::string{matched}});
}

void claims::fact(std::string name, std::string_view value,
                  std::string_view field) {
  // A known fact needs not be learned again, event after event.
  if (in_.known.knows(name))
    return;
  add({.key = std::move(name),
       .type = {correlation_noun::none, correlation_noun::none},
       .confidence = sureness::certain,
       .needs = {},
       .rule = std::string{rule_},
       .field = std::string{field},
       .matched = std::string{value}});
}

void claims::add(const reference& r, float confidence, bool listed,
                 std::string_view field) {
  constexpr size_t most_shown = 200;
  const bool whole = !r.with_word.empty() && r.with_word.size() <= most_shown;
  const auto shown = whole ? r.with_word : r.matched.substr(0, most_shown);
  correlation_key key{.key = r.key,
                      .type = {subject_, r.to},
                      .confidence = confidence,
                      .needs = r.needs,
                      .rule = std::string{rule_},
                      .field = std::string{field},
                      .matched = std::string{shown},
                      .window = 0,
                      .from_text = true};
  // What is sure enough waits for nothing; what is denied must not link later.
  if (!r.needs.empty() && r.key.starts_with("linear:") &&
      confidence >= in_.threshold)
    key.needs.clear();
  if (confidence < sureness::unsure)
    key.needs.clear();
  // A commit's short name says nothing until the commit is known.
  if (!key.needs.empty() && !r.key.starts_with("linear:")) {
    if (confidence < in_.threshold)
      key.needs.clear();
    key.confidence = std::min(confidence, sureness::unsure);
  }
  if (key.confidence >= in_.threshold || !key.needs.empty())
    (listed ? listed_ : stated_).push_back(key.key);
  if (!r.or_issue.empty()) {
    auto issue = key;
    issue.key = r.or_issue;
    issue.type.to = correlation_noun::issue;
    if (issue.confidence >= in_.threshold)
      (listed ? listed_ : stated_).push_back(issue.key);
    add(std::move(issue));
  }
  add(std::move(key));
}

void claims::text(std::string_view text, text_source source, markup how,
                  const repository& repo, std::string_view field) {
  if (text.empty() || references_ >= max_references)
    return;
  found_.clear();
  scan_options options;
  options.how = how;
  options.repo = repo;
  options.known = &in_.known;
  const bool program = source == text_source::bot;
  options.skip_details = program;
  scan_text(text, options, found_);
  for (const auto& r : found_) {
    if (references_++ >= max_references)
      return;
    if (program && !said_by_program(r))
      continue;
    const bool listed =
        program || (!is_magic(r.rel) && r.rel != relation::labelled);
    auto confidence = confidence_of(r, source);
    if ((source == text_source::title || source == text_source::commit) &&
        r.shape == reference_shape::linear_id && !r.known && is_order(text, r))
      confidence = std::min(confidence, sureness::unsure);
    add(r, confidence, listed, field);
  }
}

void claims::branch_name(std::string_view name, const repository& repo,
                         std::string_view field) {
  if (name.empty() || is_shared_branch(name))
    return;
  found_.clear();
  scan_options options;
  options.repo = repo;
  options.known = &in_.known;
  scan_branch(name, options, found_);
  for (const auto& r : found_)
    add(r,
        r.shape == reference_shape::number ? sureness::likely
        : r.known                          ? sureness::certain
                                           : sureness::unsure,
        false, field);
}

void claims::url(std::string_view url, float confidence,
                 std::string_view field) {
  add_url(url, confidence, false, field);
}

void claims::shown_url(std::string_view url, float confidence,
                       std::string_view field) {
  add_url(url, confidence, true, field);
}

void claims::add_url(std::string_view url, float confidence, bool listed,
                     std::string_view field) {
  const auto found = read_url(url);
  if (!found)
    return;
  for (const auto& k : found->keys) {
    reference r;
    r.key = k.key;
    r.to = k.to;
    r.needs = k.needs;
    r.matched = url;
    if (!r.needs.empty()) {
      if (const auto value = in_.known.value_of(r.needs)) {
        r.key = resolve_key(r.key, *value);
        r.needs.clear();
      }
    }
    add(r, confidence, listed, field);
  }
}

void claims::finish() {
  std::erase_if(listed_, [&](const std::string& key) {
    return std::find(stated_.begin(), stated_.end(), key) != stated_.end();
  });
  std::sort(listed_.begin(), listed_.end());
  listed_.erase(std::unique(listed_.begin(), listed_.end()), listed_.end());
  std::map<std::string_view, std::vector<std::string_view>> families;
  for (const auto& key : listed_) {
    // A number that may be a pull request or an issue counts once.
    if (key.starts_with("github:issue:") &&
        std::binary_search(listed_.begin(), listed_.end(),
                           "github:pr:" + key.substr(13)))
      continue;
    families[family_of(key)].push_back(key);
  }
  for (const auto& [family, keys] : families) {
    if (keys.size() <= in_.max_mentions)
      continue;
    for (size_t i = first_; i < out_.size(); ++i) {
      auto& k = out_[i];
      if (k.is_identity() || k.is_fact() || family_of(k.key) != family ||
          !std::binary_search(listed_.begin(), listed_.end(), k.key))
        continue;
      k.confidence = std::min(k.confidence, sureness::other_work);
      k.needs.clear();
    }
  }
}

bool is_null(simdjson::dom::element object, std::string_view name) {
  simdjson::dom::element found;
  return object.at_key(name).get(found) == simdjson::SUCCESS && found.is_null();
}

std::optional<simdjson::dom::element> child(simdjson::dom::element object,
                                            std::string_view key) {
  simdjson::dom::element found;
  if (object[key].get(found) || found.is_null())
    return std::nullopt;
  return found;
}

std::string_view text_of(simdjson::dom::element object, std::string_view key) {
  std::string_view found;
  if (object[key].get(found))
    return {};
  return found;
}

std::string_view text_of(simdjson::dom::element object, std::string_view key,
                         std::string& scratch) {
  simdjson::dom::element found;
  if (object[key].get(found))
    return {};
  if (found.is_string())
    return found.get_string().value_unsafe();
  if (found.is_number()) {
    scratch = simdjson::minify(found);
    return scratch;
  }
  return {};
}

std::optional<uint64_t> number_of(simdjson::dom::element object,
                                  std::string_view key) {
  uint64_t n = 0;
  if (object[key].get(n) || n == 0)
    return std::nullopt;
  return n;
}

} // namespace eventweft::correlation
