<?php
// A Fachverfahren in PHP: ext-soap reads and writes the messages, the folder OFFICE_FOLDER keeps what they did.
// One line of `moods` is used up by each call of `einreichen`, as what goes wrong with it.

$folder = getenv('OFFICE_FOLDER');

function inlined(string $body, string $type): string
{   // ext-soap knows no MTOM: put each part in its place as base64
    if (!preg_match('/boundary="?([^";]+)"?/i', $type, $found)) {
        return $body;
    }
    $parts = [];
    foreach (array_slice(explode("--$found[1]", "\r\n" . $body), 1, -1) as $part) {
        [$head, $content] = explode("\r\n\r\n", substr($part, 2), 2);
        preg_match('/content-id:\s*<([^>]+)>/i', $head, $id);
        $parts[$id[1]] = substr($content, 0, -2);
    }
    preg_match('/start="<([^>]+)>"/i', $type, $start);
    return preg_replace_callback(
        '~(?<=>)<xop:Include[^>]*href="cid:([^"]+)"\s*/>(?=</)~',
        fn ($hit) => base64_encode($parts[$hit[1]]),
        $parts[$start[1]],
    );
}

class Office
{
    public function __construct(private string $folder) {}

    public function einreichen($gesuch)
    {
        $mood = $this->mood();
        if (str_starts_with($mood, 'fault:')) {
            [, $code, $text] = explode(':', $mood, 3);
            throw new SoapFault($code, 'Erika Mustermann', null, new SoapVar("<Fehler><code>$text</code></Fehler>", XSD_ANYXML));
        }
        if ($mood === 'busy') {
            http_response_code(503);
            header('Retry-After: 7');
            exit;
        }
        $key = $gesuch->vorgang->schluessel;
        $state = str_starts_with($mood, 'state:') ? substr($mood, 6) : 'ANGENOMMEN';
        $this->commit($key, $state, $gesuch);
        if ($mood === 'lost') {
            http_response_code(500);
            exit;
        }
        if ($mood === 'fault-after') {
            throw new SoapFault('Server', 'zu spaet');
        }
        return $this->answer($key);
    }

    public function abfragen($frage)
    {
        return $this->answer($frage->schluessel);
    }

    private function answer(string $key): array
    {
        $file = "$this->folder/cases/" . basename($key);
        if (!is_file($file)) {
            return ['status' => 'UNBEKANNT'];
        }
        $said = "$this->folder/answers/" . basename($key);
        return ['status' => file_get_contents($file), 'aktenzeichen' => 'AZ-' . substr($key, 0, 8), 'grund' => 'E4711']
            + (is_file($said) ? ['antwort' => file_get_contents($said)] : []);
    }

    private function commit(string $key, string $state, $gesuch): void
    {
        $lock = fopen("$this->folder/lock", 'c');
        flock($lock, LOCK_EX);
        $file = "$this->folder/cases/" . basename($key);
        if (!is_file($file) || getenv('OFFICE_FORGETS')) {
            file_put_contents("$this->folder/journal", json_encode($this->seen($key, $gesuch)) . "\n", FILE_APPEND);
            file_put_contents($file, $state);
        }
        flock($lock, LOCK_UN);
    }

    private function seen(string $key, $gesuch): array
    {
        $paket = $gesuch->paket ?? null;
        $inhalt = is_object($paket) ? $paket->_ : $paket;
        $dokumente = $gesuch->dokumente->dokument ?? [];
        return [
            'key' => $key,
            'mandant' => $gesuch->vorgang->mandant,
            'test' => $gesuch->vorgang->test ?? null,
            'any' => $gesuch->fachnachricht->any ?? null,
            'name' => $gesuch->nachricht->name ?? null,
            'paket' => $inhalt === null ? null : hash('sha256', $inhalt),
            'paketname' => is_object($paket) ? ($paket->name ?? null) : null,
            'dokumente' => array_map(
                fn ($one) => [$one->name, hash('sha256', $one->inhalt)],
                is_array($dokumente) ? $dokumente : [$dokumente],
            ),
            'action' => $_SERVER['HTTP_SOAPACTION'] ?? '',
            'header' => $_SERVER['HTTP_X_SCHLUESSEL'] ?? '',
            'type' => $_SERVER['CONTENT_TYPE'] ?? '',
        ];
    }

    private function mood(): string
    {
        $lock = fopen("$this->folder/lock", 'c');
        flock($lock, LOCK_EX);
        $moods = is_file("$this->folder/moods") ? file("$this->folder/moods", FILE_IGNORE_NEW_LINES) : [];
        $mood = array_shift($moods) ?? '';
        file_put_contents("$this->folder/moods", implode("\n", $moods) . ($moods ? "\n" : ''));
        flock($lock, LOCK_UN);
        return $mood;
    }
}

if ($_SERVER['REQUEST_METHOD'] !== 'POST') {
    http_response_code(405);
    exit;
}
$type = $_SERVER['CONTENT_TYPE'] ?? '';
$body = inlined(file_get_contents('php://input'), str_starts_with($type, 'multipart/') ? $type : '');
file_put_contents("$folder/envelope.xml", $body);
$is_12 = str_contains($body, 'http://www.w3.org/2003/05/soap-envelope');
$server = new SoapServer(__DIR__ . '/antrag.wsdl', [
    'soap_version' => $is_12 ? SOAP_1_2 : SOAP_1_1,
    'cache_wsdl' => WSDL_CACHE_NONE,
    'features' => SOAP_SINGLE_ELEMENT_ARRAYS,
]);
$server->setObject(new Office($folder));
$server->handle($body);
