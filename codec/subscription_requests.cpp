// SPDX-License-Identifier: Apache-2.0
#include "codec/subscription_requests.hpp"

#include "codec/request_fields.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

namespace eventweft::codec {

namespace {

constexpr size_t max_name = 100;
constexpr size_t max_text = 1'000;
constexpr size_t max_url = 2'048;
constexpr uint32_t most_concurrent = 1'000;
constexpr uint32_t most_rate = 1'000'000;

/// What may be given for a new subscription and for one that is changed.
void read_common(request_fields& in, subscription_change& out,
                 std::optional<std::string>& secret) {
  in.text("subscriber_id", max_text, out.subscriber_id);
  in.text("url", max_url, out.url);
  in.filter(out.filter);
  in.format("format", out.format);
  in.flag("ordered", out.ordered);
  in.headers("headers", out.headers);
  in.whole("max_concurrent", most_concurrent, out.max_concurrent);
  in.number("rate_per_second", most_rate, out.rate_per_second);
  in.flag("active", out.active);
  in.text("secret", max_text, secret);
}

} // namespace

expected<stream_definition> parse_stream_request(std::string_view body) {
  auto in = request_fields::read(body);
  if (!in)
    return fail(in.error());
  std::optional<std::string> name;
  std::optional<std::string> description;
  std::optional<eventweft::filter> what;
  in->text("name", max_text, name);
  in->text("description", max_text, description);
  in->filter(what);
  if (!name)
    in->note("name", "is needed");
  else if (!is_path_name(*name))
    in->note("name", path_name_rule);
  if (auto ok = in->finish(); !ok)
    return fail(ok.error());
  stream_definition out;
  out.name = std::move(*name);
  out.description = description.value_or("");
  out.filter = what.value_or(eventweft::filter{});
  return out;
}

expected<stream_change> parse_stream_change(std::string_view body) {
  auto in = request_fields::read(body);
  if (!in)
    return fail(in.error());
  stream_change out;
  in->text("description", max_text, out.description);
  in->filter(out.filter);
  if (auto ok = in->finish(); !ok)
    return fail(ok.error());
  if (!out.description && !out.filter)
    return fail(ec::unprocessable, "description or filter is needed");
  return out;
}

expected<new_subscription> parse_subscription_request(std::string_view body) {
  auto in = request_fields::read(body);
  if (!in)
    return fail(in.error());
  std::optional<std::string> type;
  std::optional<std::string> secret;
  std::optional<std::string> signature;
  std::optional<start_point> since;
  subscription_change given;
  in->text("type", max_name, type);
  read_common(*in, given, secret);
  in->text("signature", max_name, signature);
  in->since("since", since);
  new_subscription out;
  if (const auto known = parse_subscription_type(type.value_or("webhook")))
    out.what.type = *known;
  else
    in->note("type", R"(expected "webhook", "nats" or "kafka")");
  if (!given.url || given.url->empty())
    in->note("url", "is needed");
  if (signature && *signature != "v1" && *signature != "v1a")
    in->note("signature", R"(expected "v1" or "v1a")");
  if (signature && secret)
    in->note("signature", "goes without secret, whose kind decides");
  if (auto ok = in->finish(); !ok)
    return fail(ok.error());
  auto& s = out.what;
  s.subscriber_id = given.subscriber_id.value_or("");
  s.url = std::move(*given.url);
  s.filter = given.filter.value_or(eventweft::filter{});
  s.format = given.format.value_or(wire_format::native);
  s.ordered = given.ordered.value_or(false);
  s.headers = given.headers.value_or(outgoing::header_list{});
  s.max_concurrent = given.max_concurrent.value_or(0);
  s.rate_per_second = given.rate_per_second.value_or(0);
  s.active = given.active.value_or(true);
  out.secret = secret.value_or("");
  out.asymmetric = signature == "v1a";
  out.since = since.value_or(start_point::end());
  return out;
}

expected<subscription_change> parse_subscription_change(std::string_view body) {
  auto in = request_fields::read(body);
  if (!in)
    return fail(in.error());
  subscription_change out;
  std::optional<std::string> secret;
  std::optional<bool> rotate;
  std::optional<bool> drop;
  read_common(*in, out, secret);
  in->flag("rotate_secret", rotate);
  in->flag("drop_old_secrets", drop);
  if (out.url && out.url->empty())
    in->note("url", "must not be empty");
  if (auto ok = in->finish(); !ok)
    return fail(ok.error());
  out.rotate_secret = rotate.value_or(false) || secret.has_value();
  out.secret = secret.value_or("");
  out.drop_old_secrets = drop.value_or(false);
  return out;
}

expected<replay_request> parse_replay_request(std::string_view body) {
  auto in = request_fields::read(body.empty() ? std::string_view{"{}"} : body);
  if (!in)
    return fail(in.error());
  replay_request out;
  std::optional<start_point> since;
  std::optional<std::string> until;
  std::optional<std::string> id;
  std::optional<eventweft::filter> what;
  std::optional<bool> dry;
  in->since("since", since);
  in->text("until", max_name, until);
  in->filter(what);
  in->text("event_id", max_name, id);
  in->flag("dry_run", dry);
  if (until) {
    out.until = parse_rfc3339(*until);
    if (!out.until)
      in->note("until", "expected an RFC 3339 time");
  }
  if (id) {
    out.event_id = uuid::parse(*id);
    if (!out.event_id)
      in->note("event_id", "expected a UUID");
    if (since || until || what)
      in->note("event_id", "goes without since, until and filter");
  } else if (!since) {
    in->note("since", "is needed, or event_id");
  }
  if (auto ok = in->finish(); !ok)
    return fail(ok.error());
  out.since = since.value_or(start_point::end());
  out.filter = what.value_or(eventweft::filter{});
  out.dry_run = dry.value_or(false);
  return out;
}

} // namespace eventweft::codec
