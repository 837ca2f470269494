<?php
// What a PHP program says, and how it waits for the replicas; see app-program.ts.

const EMOJI = "Žluťoučký kůň 😀👩‍👩‍👧 中文 Ω ' \" \\ % _";
error_reporting(E_ALL & ~E_DEPRECATED);

function longText(): string
{
    return str_repeat("Zeile – ligne — строка 行\n", 8000);
}

function bytes(): string
{
    return str_repeat(implode('', array_map('chr', range(0, 255))), 2);
}

function plain(mixed $value): mixed
{
    if (is_array($value)) {
        return array_map('plain', $value);
    }
    if ($value instanceof DateTimeInterface) {
        return 'date ' . $value->format('Y-m-d H:i:s.u P');
    }
    if (is_resource($value)) {
        return plain(stream_get_contents($value));
    }
    if (is_object($value)) {
        return plain(get_object_vars($value));
    }
    return is_string($value) && !mb_check_encoding($value, 'UTF-8') ? 'bytes ' . bin2hex($value) : $value;
}

function say(string $step, mixed ...$result): void
{
    $line = ['step' => $step];
    if ($result !== []) {
        $line['result'] = plain(count($result) === 1 ? $result[0] : $result);
    }
    echo json_encode($line, JSON_UNESCAPED_UNICODE | JSON_PRESERVE_ZERO_FRACTION | JSON_THROW_ON_ERROR | JSON_UNESCAPED_SLASHES), "\n";
}

function sync(): void
{
    echo "{\"sync\":true}\n";
    fgets(STDIN);
}

/** Runs what should fail, and gives the error. */
function failure(callable $run): mixed
{
    try {
        return ['unexpected' => $run()];
    } catch (Throwable $error) {
        $from = $error->getPrevious() ?? $error;
        return [get_class($error), $error->getCode(), preg_replace('/\d+ bytes? more|in \/\S+/', '', $from->getMessage())];
    }
}
