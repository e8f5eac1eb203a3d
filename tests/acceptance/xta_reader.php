<?php
// A Fachverfahren as somebody else would write it: PHP's SOAP client, the official WSDL, client certificates. No MTOM.
// php xta_reader.php WSDL CA CERT KEY BASE VERB [ARGUMENT…]; prints one JSON object.
[, $wsdl, $ca, $cert, $key, $base, $verb] = $argv;
$argument = $argv[7] ?? '';

const XTA = 'http://xoev.de/transport/xta/211';
const META = 'http://www.osci.eu/ws/2014/10/transport';
const WSA = 'http://www.w3.org/2005/08/addressing';

function port(string $name, string $path): SoapClient {
    global $wsdl, $ca, $cert, $key, $base;
    $tls = stream_context_create(['ssl' => [
        'cafile' => $ca, 'local_cert' => $cert, 'local_pk' => $key, 'verify_peer' => true, 'verify_peer_name' => true,
    ]]);
    return new SoapClient($wsdl, [
        'soap_version' => SOAP_1_2, 'location' => "$base/$path", 'stream_context' => $tls, 'exceptions' => true,
        'cache_wsdl' => WSDL_CACHE_NONE, 'trace' => true,
    ]);
}

function addressed(SoapClient $client, string $action, array $more = []): SoapClient {
    $client->__setSoapHeaders([
        new SoapHeader(WSA, 'Action', $action), new SoapHeader(WSA, 'MessageID', 'urn:uuid:' . bin2hex(random_bytes(16))),
        ...$more,
    ]);
    return $client;
}

const BOX = 'http://www.osci.eu/ws/2008/05/transport/urn/messageTypes/';

function text($value): string {
    return is_object($value) ? (string) $value->_ : (string) $value;
}

try {
    $said = [];
    if ($verb === 'list' || $verb === 'loop') {
        $box = addressed(port('MsgBoxPort', 'msgbox'), BOX . 'MsgBoxStatusListRequest');
        $headers = [];
        $list = $box->__soapCall('getStatusList', [['ListForm' => 'MessageMetaData', 'maxListItems' => 50]], null, null, $headers);
        $orders = $list->MessageMetaData ?? [];
        $orders = is_array($orders) ? $orders : [$orders];
        $said['ids'] = array_map(fn ($one) => text($one->MsgIdentification->MessageID), $orders);
        $said['fetched'] = [];
        foreach ($verb === 'loop' ? $said['ids'] : [] as $id) {
            $fetch = addressed(port('MsgBoxPort', 'msgbox'), BOX . 'MsgBoxFetchRequest');
            $headers = [];
            $message = $fetch->__soapCall(
                'getMessage', [['MsgSelector' => ['MessageID' => [$id]]]], null, null, $headers);
            $content = $message->ContentContainer->Message;
            $attachments = $message->ContentContainer->Attachment ?? [];
            preg_match('/MsgBoxRequestID="([^"]+)"/', $fetch->__getLastResponse(), $found);
            $said['fetched'][] = [
                'id' => $id, 'sha256' => hash('sha256', $content->_), 'type' => $content->contentType,
                'attachments' => is_array($attachments) ? count($attachments) : 1,
            ];
            $close = addressed(port('MsgBoxPort', 'msgbox'), BOX . 'MsgBoxCloseRequest');
            $close->close(['MsgBoxRequestID' => $found[1], 'LastMsgReceived' => [$id]]);
        }
    } elseif ($verb === 'send') {
        $new = addressed(port('ManagementPort', 'management'), 'http://www.xta.de/XTA/CreateMessageID')->createMessageId();
        $id = text($new);
        [$author, $reader, $service, $file] = explode('|', $argument);
        $order = "<m:MessageMetaData xmlns:m='" . META . "' xmlns:a='" . WSA . "'><m:DeliveryAttributes/><m:Originators>"
            . "<m:Author><m:Identifier type='xoev'>$author</m:Identifier></m:Author></m:Originators><m:Destinations><m:Reader>"
            . "<m:Identifier type='xoev'>$reader</m:Identifier></m:Reader></m:Destinations><m:MsgIdentification>"
            . "<a:MessageID>$id</a:MessageID></m:MsgIdentification><m:Qualifier><m:Service>$service</m:Service>"
            . "<m:BusinessScenario><m:Undefined>EfA</m:Undefined></m:BusinessScenario><m:MessageType listURI='urn:l'"
            . " listVersionID='1' payloadSchema='urn:s'><code>S05000058</code></m:MessageType></m:Qualifier></m:MessageMetaData>";
        $header = new SoapHeader(META, 'MessageMetaData', new SoapVar($order, XSD_ANYXML));
        $client = addressed(port('SendXtaPort', 'send'), 'http://www.xta.de/XTA/SendMessage', [$header]);
        $client->sendMessage(['ContentContainer' => ['Message' => [
            '_' => file_get_contents($file), 'contentType' => 'text/xml', 'filename' => 'antrag.xml']]]);
        $report = addressed(port('ManagementPort', 'management'), 'http://www.xta.de/XTA/GetTransportReport');
        $said = ['id' => $id, 'status' => $report->getTransportReport(new SoapVar($id, XSD_STRING))->MessageStatus->Status];
    } elseif ($verb === 'check') {
        addressed(port('ManagementPort', 'management'), 'http://www.xta.de/XTA/CheckAccountActive')->checkAccountActive();
        $said = ['active' => true];
    }
    echo json_encode($said), "\n";
} catch (SoapFault $fault) {
    $code = json_decode(json_encode($fault->detail ?? null), true);
    $number = is_array($code) ? (reset($code)['errorCode']['code'] ?? '') : '';
    echo json_encode(['fault' => $fault->getMessage(), 'number' => $number, 'exception' => is_array($code) ? key($code) : '']), "\n";
}
