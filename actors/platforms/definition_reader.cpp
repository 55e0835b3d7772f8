// SPDX-License-Identifier: Apache-2.0
#include "actors/platforms/definition.hpp"
#include "actors/platforms/standard_webhooks.hpp"
#include "actors/platforms/table_reader.hpp"
#include "messages/event.hpp"
#include "messages/json_pointer.hpp"

#include <toml++/toml.h>

#include <algorithm>
#include <initializer_list>
#include <optional>

namespace eventweft::platforms {

namespace {

proof_algorithm algorithm_named(table_reader& t, const std::string& name) {
  return t.one_of<proof_algorithm>(
      "algorithm", name,
      {{"hmac-sha256", proof_algorithm::hmac_sha256},
       {"hmac-sha512", proof_algorithm::hmac_sha512},
       {"hmac-sha1", proof_algorithm::hmac_sha1},
       {"ed25519", proof_algorithm::ed25519},
       {"token", proof_algorithm::static_token}});
}

void read_timestamp(table_reader& t, signature_scheme& s) {
  using origin = timestamp_rule::origin;
  using unit = timestamp_rule::unit;
  const auto from = t.text("timestamp");
  s.time.in = t.one_of<unit>("timestamp_unit", t.text("timestamp_unit", "s"),
                             {{"s", unit::seconds},
                              {"ms", unit::milliseconds},
                              {"rfc3339", unit::rfc3339}});
  s.time.tolerance =
      std::chrono::seconds{t.number("tolerance", 300, 1, 30 * 86'400)};
  s.time.refuse_future =
      t.one_of<bool>("direction", t.text("direction", "both"),
                     {{"both", true}, {"past", false}});
  if (from.empty()) {
    // Who sets one of them believes that old requests are refused. A timestamp
    // that is no text has been told of already.
    const auto* other = t.find("timestamp");
    const auto* why =
        s.algorithm == proof_algorithm::static_token
            ? "a token signs nothing, and so no time: leave this out"
            : "is of no use without `timestamp`, which says where the signed "
              "time is: name it, or leave this out";
    for (const auto* key : {"timestamp_unit", "tolerance", "direction"})
      if (t.find(key) && (!other || other->is_string()))
        t.refuse(key, why);
    return;
  }
  const auto colon = std::min(from.find(':'), from.size());
  const auto kind = from.substr(0, colon);
  const auto name =
      colon < from.size() ? from.substr(colon + 1) : std::string{};
  if (name.empty())
    t.refuse("timestamp",
             "must be header:NAME, json:/POINTER or signature:KEY");
  s.time.from = t.one_of<origin>("timestamp", kind,
                                 {{"header", origin::header},
                                  {"json", origin::json},
                                  {"signature", origin::signature}});
  s.time.name =
      s.time.from == origin::header ? t.header("timestamp", name) : name;
  if (s.time.from == origin::json && !is_json_pointer(name))
    t.refuse("timestamp", "a JSON pointer " + std::string{json_pointer_form});
  if (s.time.from == origin::signature && s.format != header_format::pairs)
    t.refuse("timestamp", "only format = \"pairs\" has keys");
}

void read_format(table_reader& t, signature_scheme& s) {
  s.format = t.one_of<header_format>(
      "format", t.text("format", "plain"),
      {{"plain", header_format::plain},
       {"prefix", header_format::prefix},
       {"pairs", header_format::pairs},
       {"space-list", header_format::space_list},
       {"comma-list", header_format::comma_list},
       {"algorithm-prefix", header_format::algorithm_prefix}});
  s.prefix = t.text("prefix");
  const auto key = t.text("key");
  if (s.format == header_format::pairs) {
    if (key.empty())
      t.refuse("key", "format = \"pairs\" needs the key of the signatures");
    s.prefix = key;
  } else if (!key.empty()) {
    t.refuse("key", "only format = \"pairs\" has keys");
  }
  if (s.format == header_format::prefix && s.prefix.empty())
    t.refuse("prefix", "format = \"prefix\" needs it");
}

/// Freshness must not rest on a time that anybody could alter.
void check_signed_time(table_reader& t, const signature_scheme& s) {
  using origin = timestamp_rule::origin;
  const auto from = s.time.from;
  // A base that can't be read has been told of already.
  if (from == origin::none || s.base.source().empty())
    return;
  if (s.algorithm == proof_algorithm::static_token)
    return t.refuse("timestamp", "a token signs nothing, and so no time");
  if (s.base.has_timestamp() && from != origin::signature)
    return t.refuse("base", "{timestamp} is what stands beside the signature "
                            "(timestamp = \"signature:KEY\"); name the header "
                            "or the member");
  const auto headers = s.base.headers();
  const bool is_signed =
      from == origin::json ||
      (from == origin::signature && s.base.has_timestamp()) ||
      (from == origin::header &&
       std::find(headers.begin(), headers.end(), s.time.name) != headers.end());
  if (!is_signed)
    t.refuse("timestamp",
             "is not signed: anybody could alter it; `base` must hold " +
                 (from == origin::header ? "{header:" + s.time.name + "}"
                                         : std::string{"{timestamp}"}));
}

signature_scheme read_scheme(table_reader& t) {
  signature_scheme s;
  const auto header = t.text("header");
  s.query_parameter = t.text("query");
  if (header.empty() == s.query_parameter.empty())
    t.refuse("header", "name either a header or a query parameter");
  if (!header.empty())
    s.header = t.header("header", header);
  read_format(t, s);
  const auto names = t.texts("algorithm");
  if (names.empty())
    t.refuse("algorithm", "is missing");
  for (const auto& name : names)
    s.allowed.push_back(algorithm_named(t, name));
  if (!names.empty())
    s.algorithm = s.allowed.front();
  if (names.size() > 1 && s.format != header_format::algorithm_prefix)
    t.refuse("algorithm",
             "only format = \"algorithm-prefix\" has more than one");
  s.encoding = t.one_of<digest_encoding>(
      "encoding", t.text("encoding", "hex"),
      {{"hex", digest_encoding::hex}, {"base64", digest_encoding::base64}});
  s.secret = t.one_of<secret_encoding>(
      "secret", t.text("secret", "raw"),
      {{"raw", secret_encoding::raw},
       {"base64", secret_encoding::base64},
       {"base64-prefixed", secret_encoding::base64_prefixed},
       {"base64-if-prefixed", secret_encoding::base64_if_prefixed},
       {"hex", secret_encoding::hex}});
  s.secret_prefix = t.text("secret_prefix");
  if (s.secret == secret_encoding::base64_prefixed && s.secret_prefix.empty())
    t.refuse("secret_prefix", "secret = \"base64-prefixed\" needs it");
  const auto base = t.text("base", "{body}");
  s.base = t.pattern("base", base);
  if (s.algorithm != proof_algorithm::static_token &&
      base.find("{body}") == std::string::npos)
    t.refuse("base", "does not hold {body}: anybody could alter it");
  for (const auto& name : t.texts("without_dots"))
    s.without_dots.push_back(t.header("without_dots", name));
  read_timestamp(t, s);
  if (base.find("{timestamp}") != std::string::npos &&
      s.time.from == timestamp_rule::origin::none)
    t.refuse("base", "holds {timestamp}, but no `timestamp` says where it is");
  check_signed_time(t, s);
  return s;
}

void read_signatures(table_reader& root, platform_definition& out) {
  size_t number = 0;
  for (const auto* table : root.tables("signature")) {
    table_reader t{*table, "signature " + std::to_string(++number),
                   root.faults()};
    if (const auto start = t.text("standard_webhooks"); !start.empty()) {
      for (auto& scheme :
           standard_webhooks(t.header("standard_webhooks", start))) {
        if (t.boolean("strict_secrets", false) &&
            scheme.secret == secret_encoding::base64_if_prefixed)
          scheme.secret = secret_encoding::base64_prefixed;
        out.signatures.push_back(std::move(scheme));
      }
    } else {
      out.signatures.push_back(read_scheme(t));
    }
    t.finish();
  }
  if (out.signatures.empty())
    root.refuse("signature", "at least one is needed");
}

void read_event(table_reader& root, platform_definition& out) {
  const auto* table = root.table("event");
  if (!table)
    return root.refuse("event", "is missing");
  table_reader t{*table, "event", root.faults()};
  out.event_id = t.patterns("id");
  out.event_type = t.patterns("type");
  if (out.event_id.empty())
    t.refuse("id", "is missing");
  if (out.event_type.empty())
    t.refuse("type", "is missing");
  out.source_id = t.patterns("source_id");
  out.source_name = t.patterns("source_name");
  out.actor_id = t.patterns("actor_id");
  out.actor_name = t.patterns("actor_name");
  if (const auto* metadata = t.table("metadata")) {
    table_reader m{*metadata, "event.metadata", root.faults()};
    for (const auto& [key, value] : *metadata)
      out.metadata.emplace_back(std::string{key.str()}, m.patterns(key.str()));
    m.finish();
  }
  t.finish();
}

void read_priorities(table_reader& root, platform_definition& out) {
  size_t number = 0;
  for (const auto* table : root.tables("priority")) {
    table_reader t{*table, "priority " + std::to_string(++number),
                   root.faults()};
    config::priority_rule rule;
    rule.event_type = t.text("event_type", "*");
    rule.field = t.text("field");
    rule.value = t.text("value", "*");
    rule.priority = t.needed_text("priority");
    if (!parse_priority(rule.priority))
      t.refuse("priority", "is not one of low, normal, high, critical");
    if (!rule.field.empty() && !is_json_pointer(rule.field))
      t.refuse("field", "a JSON pointer " + std::string{json_pointer_form});
    t.finish();
    out.priority.push_back(std::move(rule));
  }
}

void read_handshake(table_reader& root, platform_definition& out) {
  const auto* table = root.table("handshake");
  if (!table)
    return;
  table_reader t{*table, "handshake", root.faults()};
  handshake_rule rule;
  rule.when = t.pattern("when", t.needed_text("when"));
  rule.is = t.text("is", "*");
  rule.status = static_cast<int>(t.number("status", 200, 200, 299));
  rule.content_type = t.text("content_type", rule.content_type);
  rule.body = t.pattern("body", t.text("body"));
  rule.proven = t.boolean("proven", true);
  t.finish();
  out.handshake = std::move(rule);
}

platform_definition read(const toml::table& table, fault_list& faults) {
  table_reader root{table, {}, faults};
  platform_definition out;
  out.name = root.needed_text("name");
  if (const auto* node = root.find("name"))
    out.name_line = line_of(*node);
  const bool valid = out.name.size() <= 64 &&
                     std::all_of(out.name.begin(), out.name.end(), [](char c) {
                       return (c >= 'a' && c <= 'z') ||
                              (c >= '0' && c <= '9') || c == '_' || c == '-';
                     });
  if (!valid)
    root.refuse("name", "must be up to 64 of a-z, 0-9, '_', '-'");
  out.description = root.text("description");
  read_signatures(root, out);
  read_event(root, out);
  read_priorities(root, out);
  read_handshake(root, out);
  out.answer_status =
      static_cast<int>(root.number("answer_status", 0, 200, 299));
  out.answer_within =
      std::chrono::milliseconds{root.number("answer_within_ms", 0, 1, 60'000)};
  root.finish();
  return out;
}

} // namespace

expected<platform_definition> read_definition(std::string_view toml,
                                              std::string_view file) {
  const auto at = [&](uint32_t line, std::string_view what) {
    return std::string{file} + ":" + std::to_string(line) + ": " +
           std::string{what};
  };
  toml::table table;
  try {
    table = toml::parse(toml, file);
  } catch (const toml::parse_error& broken) {
    return fail(ec::bad_configuration,
                at(broken.source().begin.line, broken.description()));
  }
  fault_list faults;
  auto out = read(table, faults);
  if (faults.empty())
    return out;
  std::ranges::stable_sort(faults, {}, &fault::line);
  std::string all;
  for (const auto& f : faults)
    all += (all.empty() ? "" : "\n") + at(f.line, f.path + ": " + f.why);
  return fail(ec::bad_configuration, std::move(all));
}

} // namespace eventweft::platforms
