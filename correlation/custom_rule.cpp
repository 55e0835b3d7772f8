// SPDX-License-Identifier: Apache-2.0
#include "correlation/custom_rule.hpp"

#include "codec/filter.hpp"
#include "codec/payload.hpp"
#include "messages/ascii.hpp"

#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>
#include <array>
#include <stdexcept>

namespace eventweft::correlation {

namespace {

constexpr size_t max_matches = 20;
constexpr size_t max_text = 256u << 10;
constexpr int max_groups = 16;
constexpr int64_t max_pattern_memory = 8 << 20;

using groups = std::array<re2::StringPiece, max_groups>;

// One `{…}` or the text between two.
struct piece {
  std::string text;
  bool is_value = false;
  // The group of the pattern; negative: a path.
  int group = -1;
};

std::string pointer_of(std::string_view path) {
  std::string out;
  for (char c : path)
    out += c == '.' ? '/' : c;
  return "/" + out;
}

// The text at a path; nothing if it is missing, null, an object or an array.
std::optional<std::string> value_at(const rule_input& in,
                                    std::string_view path) {
  const auto& ev = in.ev;
  const std::pair<std::string_view, const std::string*> members[] = {
      {"platform", &ev.platform},       {"event_type", &ev.event_type},
      {"event_id", &ev.event_id},       {"source_id", &ev.source_id},
      {"source_name", &ev.source_name}, {"actor_id", &ev.actor_id},
      {"actor_name", &ev.actor_name}};
  for (const auto& [name, text] : members)
    if (path == name)
      return text->empty() ? std::nullopt : std::optional{*text};
  std::string scratch;
  const auto own = [](std::optional<std::string_view> found) {
    return found && !found->empty() ? std::optional{std::string{*found}}
                                    : std::nullopt;
  };
  if (path.starts_with("metadata.")) {
    codec::payload_reader reader;
    const auto root = reader.parse(ev.metadata);
    if (!root)
      return std::nullopt;
    return own(codec::text_at(*root, ev.metadata, pointer_of(path.substr(9)),
                              scratch));
  }
  if (!in.payload)
    return std::nullopt;
  const auto pointer =
      path.starts_with('/') ? std::string{path} : pointer_of(path.substr(8));
  return own(codec::text_at(*in.payload, ev.payload.view(), pointer, scratch));
}

bool is_path(std::string_view text) noexcept {
  for (std::string_view member :
       {"platform", "event_type", "event_id", "source_id", "source_name",
        "actor_id", "actor_name"})
    if (text == member)
      return true;
  return (text.starts_with("payload.") && text.size() > 8) ||
         (text.starts_with("metadata.") && text.size() > 9) ||
         (text.starts_with('/') && text.size() > 1);
}

// What has a part missing, such as a short SHA, links once that is known.
void complete_later(const rule_input& in, correlation_key& key) {
  if (!key.needs.empty() || key.is_fact())
    return;
  auto fact = needed_fact(key.key);
  if (fact.empty())
    return;
  // As it is it would be a key of its own.
  const bool sure = key.confidence >= in.threshold;
  key.confidence = std::min(key.confidence, 0.5F);
  if (sure)
    key.needs = std::move(fact);
}

class declared final : public rule {
 public:
  declared(declarative_rule definition, std::vector<piece> pieces,
           std::unique_ptr<re2::RE2> pattern)
      : definition_(std::move(definition)),
        pieces_(std::move(pieces)),
        pattern_(std::move(pattern)),
        match_(definition_.match),
        field_(definition_.field) {
    // Evidence says where the values were.
    for (const auto& p : pieces_)
      if (p.is_value && p.group < 0)
        field_.append(field_.empty() ? "" : ", ").append(p.text);
  }

  std::string_view name() const noexcept override { return definition_.name; }

  bool wants(const event& ev) const override { return match_.matches(ev); }

  const declarative_rule* definition() const noexcept override {
    return &definition_;
  }

  std::string fingerprint() const override {
    const auto& d = definition_;
    return fmt::format("{}\n{}\n{}\n{}\n{}\n{}\n{}", d.name,
                       codec::filter_json(d.match), d.key, d.field, d.pattern,
                       d.confidence, d.window);
  }

  void apply(const rule_input& in, claims& out) const override {
    if (!pattern_)
      return expand(in, {}, out);
    const auto text = value_at(in, definition_.field);
    if (!text)
      return;
    const re2::StringPiece all{text->data(), std::min(text->size(), max_text)};
    const int wanted =
        1 + std::min(pattern_->NumberOfCapturingGroups(), max_groups - 1);
    size_t start = 0;
    for (size_t n = 0; n < max_matches && start <= all.size(); ++n) {
      groups found{};
      if (!pattern_->Match(all, start, all.size(), re2::RE2::UNANCHORED,
                           found.data(), wanted))
        break;
      expand(in, found, out);
      const auto end =
          static_cast<size_t>(found[0].data() - all.data()) + found[0].size();
      start = found[0].empty() ? end + 1 : end;
    }
  }

 private:
  void expand(const rule_input& in, const groups& found, claims& out) const {
    std::string key;
    for (const auto& p : pieces_) {
      if (!p.is_value) {
        key += p.text;
      } else if (p.group >= 0) {
        const auto& text = found[static_cast<size_t>(p.group)];
        if (text.empty())
          return;
        key.append(text.data(), text.size());
      } else {
        const auto value = value_at(in, p.text);
        if (!value)
          return;
        key += *value;
      }
    }
    const auto shown = found[0].empty()
                           ? std::string{}
                           : std::string{found[0].data(), found[0].size()};
    auto canonical = normalise_key(key);
    if (!canonical)
      return;
    correlation_key claim{.key = std::move(*canonical),
                          .type = {out.subject(), correlation_noun::custom},
                          .confidence = definition_.confidence,
                          .needs = {},
                          .rule = definition_.name,
                          .field = field_,
                          .matched = shown.empty() ? key : shown,
                          .window = definition_.window};
    complete_later(in, claim);
    out.take(std::move(claim));
  }

  declarative_rule definition_;
  std::vector<piece> pieces_;
  std::unique_ptr<re2::RE2> pattern_;
  codec::compiled_filter match_;
  std::string field_;
};

class function final : public rule {
 public:
  function(std::string name, std::function<custom_keys(const event&)> f)
      : name_(std::move(name)), f_(std::move(f)) {}

  std::string_view name() const noexcept override { return name_; }
  bool wants(const event&) const override { return true; }

  void apply(const rule_input& in, claims& out) const override {
    for (auto& key : f_(in.ev)) {
      // No store takes such a one, nor the event it comes with.
      if (!(key.confidence >= 0 && key.confidence <= 1))
        throw std::invalid_argument{
            "a key's confidence is not between 0 and 1"};
      auto canonical = normalise_key(key.key);
      if (!canonical)
        continue;
      key.key = std::move(*canonical);
      key.rule = name_;
      complete_later(in, key);
      out.take(std::move(key));
    }
  }

 private:
  std::string name_;
  std::function<custom_keys(const event&)> f_;
};

tl::unexpected<error> bad(const declarative_rule& r, std::string_view what) {
  return fail(ec::bad_configuration,
              fmt::format("correlation rule \"{}\": {}", r.name, what));
}

expected<piece> read_value(const declarative_rule& r, std::string text,
                           const re2::RE2* pattern) {
  piece out{.text = std::move(text), .is_value = true};
  if (is_path(out.text))
    return out;
  if (!pattern)
    return bad(r, fmt::format("{{{}}} is neither a path such as payload.x.y "
                              "nor a group, for there is no pattern",
                              out.text));
  if (is_digits(out.text) && out.text.size() < 3)
    out.group = std::stoi(out.text);
  else if (const auto named = pattern->NamedCapturingGroups().find(out.text);
           named != pattern->NamedCapturingGroups().end())
    out.group = named->second;
  if (out.group < 0 || out.group >= max_groups ||
      out.group > pattern->NumberOfCapturingGroups())
    return bad(r, fmt::format("{{{}}} is no group of the pattern", out.text));
  return out;
}

expected<std::vector<piece>> read_template(const declarative_rule& r,
                                           const re2::RE2* pattern) {
  std::vector<piece> pieces;
  std::string text;
  const std::string_view key = r.key;
  for (size_t i = 0; i < key.size(); ++i) {
    const char c = key[i];
    if ((c == '{' || c == '}') && i + 1 < key.size() && key[i + 1] == c) {
      text += c;
      ++i;
    } else if (c == '}') {
      return bad(r, fmt::format("the key has a \"}}\" without its \"{{\", at "
                                "character {}",
                                i + 1));
    } else if (c == '{') {
      const auto end = key.find('}', i);
      if (end == std::string_view::npos)
        return bad(r, fmt::format("the key has a \"{{\" without its \"}}\", "
                                  "at character {}",
                                  i + 1));
      pieces.push_back({.text = std::exchange(text, {})});
      auto value = read_value(
          r, std::string{trim(key.substr(i + 1, end - i - 1))}, pattern);
      if (!value)
        return fail(std::move(value.error()));
      pieces.push_back(std::move(*value));
      i = end;
    } else {
      text += c;
    }
  }
  pieces.push_back({.text = std::move(text)});
  if (pieces.size() == 1)
    return bad(r, "the key has no value in braces: all events would be one "
                  "thread");
  return pieces;
}

} // namespace

expected<rule_ptr> make_declarative_rule(const declarative_rule& r) {
  if (r.name.empty())
    return bad(r, "a rule needs a name");
  if (r.key.empty())
    return bad(r, "a rule needs a key");
  if (!(r.confidence >= 0 && r.confidence <= 1))
    return bad(r, "the confidence is not between 0 and 1");
  if (r.pattern.empty() != r.field.empty())
    return bad(r, "pattern and field belong together");
  std::unique_ptr<re2::RE2> pattern;
  if (!r.pattern.empty()) {
    if (!is_path(r.field))
      return bad(r, fmt::format("the field \"{}\" is no path such as "
                                "payload.x.y",
                                r.field));
    re2::RE2::Options options;
    options.set_log_errors(false);
    options.set_max_mem(max_pattern_memory);
    pattern = std::make_unique<re2::RE2>(r.pattern, options);
    if (!pattern->ok())
      return bad(r,
                 fmt::format("the pattern is not valid: {}", pattern->error()));
  }
  auto pieces = read_template(r, pattern.get());
  if (!pieces)
    return fail(std::move(pieces.error()));
  return std::make_shared<declared>(r, std::move(*pieces), std::move(pattern));
}

rule_ptr make_function_rule(std::string name,
                            std::function<custom_keys(const event&)> f) {
  return std::make_shared<function>(std::move(name), std::move(f));
}

} // namespace eventweft::correlation
