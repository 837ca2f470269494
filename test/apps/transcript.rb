# What a Ruby program says, and how it waits for the replicas; see app-program.ts.

require 'bigdecimal'
require 'date'
require 'digest'
require 'json'

EMOJI = "Žluťoučký kůň 😀👩‍👩‍👧 中文 Ω ' \" \\ % _"
LONG_TEXT = "Zeile – ligne — строка 行\n" * 8000
BYTES = ((0..255).to_a * 2).pack('C*')
$stdout.sync = true

def plain(value)
  case value
  when Hash then value.to_h { |key, one| [key.to_s, plain(one)] }
  when Array then value.map { |one| plain(one) }
  when Time, DateTime then "time #{value.utc.strftime('%F %T.%6N')}"
  when Date then "date #{value}"
  when BigDecimal then "decimal #{value.to_s('F')}"
  when String then value.encoding == Encoding::BINARY ? "bytes #{value.unpack1('H*')}" : value
  when nil, true, false, Numeric then value
  when Symbol then value.to_s
  else value.respond_to?(:attributes) ? plain(value.attributes) : value.inspect
  end
end

def say(step, *result)
  line = { step: step }
  line[:result] = plain(result.size == 1 ? result.first : result) unless result.empty?
  puts JSON.generate(line)
end

def sync
  puts '{"sync":true}'
  $stdin.gets
end

# Runs what should fail, and gives the error.
def failure
  { unexpected: plain(yield) }
rescue StandardError => e
  { type: e.class.name, message: e.message, cause: e.cause&.message }
end
